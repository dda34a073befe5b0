//! Whether work that is no pass is let in.

/// Requests that may be aside at once, those whose turn it is among them: their texts are held
/// meanwhile.
const ROOM: usize = 16;

/// Whether an owner gets one more place aside, where all have so many and it has so many of its own.
/// Beyond the room there is as much again for owners who have none, so that nobody can fill it for
/// the others.
///
/// ```
/// use trireme_domain::admission::has_room_aside;
///
/// assert!(has_room_aside(15, 15), "one owner may fill the room");
/// assert!(!has_room_aside(16, 16), "and no more than that");
/// assert!(has_room_aside(16, 0), "another one comes in all the same");
/// assert!(!has_room_aside(17, 1), "with one request");
/// assert!(!has_room_aside(32, 0), "as long as there is room for others at all");
/// ```
#[must_use]
pub fn has_room_aside(all: usize, own: usize) -> bool {
    all < ROOM || own == 0 && all < 2 * ROOM
}
