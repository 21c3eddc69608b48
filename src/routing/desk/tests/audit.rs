//! What must hold of a desk at any time.

use crate::routing::desk::Desk;
use crate::routing::desk::items::Place;
use crate::routing::plan::Method;

/// Each item is in exactly one place, and capacity is what the items took.
pub fn audit(desk: &Desk) -> Result<(), String> {
    let mut in_line = 0;
    for (number, line) in desk.lines.iter().enumerate() {
        for class in line.classes() {
            for rank in line.of_class(class) {
                in_line += 1;
                let item = desk.items.get(rank.4).ok_or("somebody waits who has left")?;
                let fits = item.place == Place::Waiting
                    && item.queue as usize == number
                    && (item.class, item.rank) == (class, rank);
                if !fits {
                    return Err(format!("{} stands in a line that it isn't in", item.id));
                }
            }
        }
        let valued = line.valued().count() as u32;
        let counted: usize = line.classes().map(|class| line.of_class(class).count()).sum();
        let is_valued = desk.plan.queues[number].method == Method::Context;
        if is_valued && valued != line.len() || counted as u32 != line.len() {
            return Err("a line has lost count".to_owned());
        }
    }
    let waiting = desk.items.all().filter(|(_, item)| item.place == Place::Waiting).count();
    if waiting != in_line {
        return Err(format!("{waiting} wait, {in_line} stand in lines"));
    }
    for (number, agent) in desk.agents.iter().enumerate() {
        for slot in agent.capacity.slots() {
            let mine = desk.items.all().filter(|(_, item)| item.agent() == Some(number as u32));
            let taken = mine.filter(|(_, item)| item.taken.contains(&slot.profile)).count() as i32;
            let daily = desk.plan.profiles[slot.profile as usize].reset
                == crate::routing::plan::Reset::EndOfDay;
            if slot.used != taken && !daily {
                return Err(format!("agent {number} has {taken} items and counts {}", slot.used));
            }
        }
    }
    counts(desk)
}

fn counts(desk: &Desk) -> Result<(), String> {
    for (number, members) in desk.members_of.iter().enumerate() {
        let of = |list: &[u8]| {
            let bits = members
                .all
                .iter()
                .map(|member| list[desk.members[*member as usize].agent as usize]);
            bits.filter(|bit| bit & 0b11 != 0).count() as u32
        };
        if (members.serving, members.ready) != (of(&desk.present), of(&desk.ready)) {
            return Err(format!("queue {number} has lost count of its agents"));
        }
    }
    Ok(())
}
