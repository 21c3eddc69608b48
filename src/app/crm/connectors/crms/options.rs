//! `[crm.options]`: each option changes a default of the connector's own, so that no default stands twice.

/// Given for a connector's setting, of its type or of the one that TOML has for it.
pub trait Over<T> {
    fn over(self, target: &mut T);
}

impl<T> Over<T> for T {
    fn over(self, target: &mut T) {
        *target = self;
    }
}

/// TOML has no word for nothing: the empty text switches off.
impl Over<Option<String>> for String {
    fn over(self, target: &mut Option<String>) {
        *target = (!self.is_empty()).then_some(self);
    }
}

impl Over<Option<u64>> for u64 {
    fn over(self, target: &mut Option<u64>) {
        *target = Some(self);
    }
}

impl Over<Option<i64>> for i64 {
    fn over(self, target: &mut Option<i64>) {
        *target = Some(self);
    }
}

/// Options of a connector's settings, or of a part of them, by their names there; those that stand `beside` are no
/// fields of it and read by whoever makes it.
macro_rules! options {
    (
        $name:ident of $target:ty { $($field:ident: $kind:ty,)* }
        $(beside { $($own:ident: $own_kind:ty,)* })?
    ) => {
        #[derive(Default, serde::Deserialize)]
        #[serde(deny_unknown_fields, default)]
        struct $name {
            $($field: Option<$kind>,)*
            $($($own: $own_kind,)*)?
        }

        impl $crate::app::crm::connectors::crms::options::Over<$target> for $name {
            fn over(self, target: &mut $target) {
                $(if let Some(value) = self.$field {
                    $crate::app::crm::connectors::crms::options::Over::over(value, &mut target.$field);
                })*
            }
        }
    };
}

pub(super) use options;
