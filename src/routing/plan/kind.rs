//! What names of a plan stand for.

use std::collections::HashMap;

use super::Names;

/// What a name can be of.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Skill,
    Hours,
    Profile,
    Group,
    Queue,
}

impl Kind {
    pub(super) fn index(self, names: &Names) -> &HashMap<String, u32> {
        match self {
            Self::Skill => &names.skills,
            Self::Hours => &names.hours,
            Self::Profile => &names.profiles,
            Self::Group => &names.groups,
            Self::Queue => &names.queues,
        }
    }

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Skill => "skill",
            Self::Hours => "hours",
            Self::Profile => "profile",
            Self::Group => "group",
            Self::Queue => "queue",
        }
    }
}
