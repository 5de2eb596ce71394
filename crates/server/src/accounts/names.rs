//! Which names and passwords an account may have.

use klatch_core::text;
use klatch_protocol::objects::Slug;

use super::Error;

/// Characters of a name to sign in with.
pub const NAME_CHARS: std::ops::RangeInclusive<usize> = 2..=32;
/// Characters of a name to be shown.
pub const DISPLAY_NAME_CHARS_MAX: usize = 80;
/// Characters of what people say about themselves.
pub const ABOUT_CHARS_MAX: usize = 500;
/// Characters in the name of a device.
pub const DEVICE_CHARS_MAX: usize = 80;
/// Characters of a password. The upper limit only keeps hashing cheap.
pub const PASSWORD_CHARS: std::ops::RangeInclusive<usize> = 8..=256;

/// Names that mean everybody when somebody is mentioned.
const RESERVED: [&str; 4] = ["all", "channel", "everyone", "here"];

/// The name as it is kept: `" Ada "` signs in as `ada`.
pub fn normal(name: &str) -> String {
    name.trim().to_lowercase()
}

/// Checks a normal name.
///
/// # Errors
/// `invalid_name`.
pub fn check_name(name: &str) -> Result<(), Error> {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let is_good = NAME_CHARS.contains(&name.len())
        && name.starts_with(is_plain)
        && name.ends_with(is_plain)
        && name.chars().all(|c| is_plain(c) || matches!(c, '.' | '_' | '-'));
    if !is_good {
        return Err(Error::Refused(
            Slug::InvalidName,
            "A name has 2 to 32 letters a to z, digits, dots, hyphens and underscores, and begins and ends with a letter or digit.",
        ));
    }
    if RESERVED.contains(&name) {
        return Err(Error::Refused(Slug::InvalidName, "This name means everybody. Choose another one."));
    }
    Ok(())
}

/// Checks a name to be shown.
///
/// # Errors
/// `invalid_name`.
pub fn check_display_name(name: &str) -> Result<(), Error> {
    if text::is_name(name, DISPLAY_NAME_CHARS_MAX) {
        return Ok(());
    }
    Err(Error::Refused(
        Slug::InvalidName,
        "A display name has 1 to 80 characters, without blanks at its ends or characters that cannot be seen.",
    ))
}

/// Checks what people say about themselves.
///
/// # Errors
/// `invalid_request`.
pub fn check_about(about: &str) -> Result<(), Error> {
    if text::is_topic(about, ABOUT_CHARS_MAX) {
        return Ok(());
    }
    Err(Error::Refused(Slug::InvalidRequest, "`about` has at most 500 characters that can be seen."))
}

/// The name of a device as it is kept: cut to its limit, without what cannot be seen.
pub fn device(name: Option<&str>) -> String {
    let seen = name.unwrap_or_default().chars().filter(|c| !text::is_forbidden_in_name(*c));
    seen.take(DEVICE_CHARS_MAX).collect::<String>().trim().to_owned()
}

/// Checks a new password. Length is what counts; a password that is the name is no secret.
///
/// # Errors
/// `weak_password`.
pub fn check_password(password: &str, name: &str) -> Result<(), Error> {
    if !PASSWORD_CHARS.contains(&password.chars().count()) {
        return Err(Error::Refused(Slug::WeakPassword, "A password has 8 to 256 characters."));
    }
    if normal(password) == name {
        return Err(Error::Refused(Slug::WeakPassword, "A password must not be the name."));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain_and_not_reserved() {
        for good in ["ada", "a1", "jean-luc.picard_2", "0x"] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        for bad in ["", "a", "Ada", "-ada", "ada.", "a b", "ädä", "here", "everyone", &"a".repeat(33)] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
        assert_eq!(normal(" Ada "), "ada");
    }

    #[test]
    fn passwords_count_characters_and_are_not_the_name() {
        assert!(check_password("ünïcödé8", "ada").is_ok());
        assert!(check_password("short", "ada").is_err());
        assert!(check_password(&"x".repeat(257), "ada").is_err());
        assert!(check_password("Ada.Lovelace", "ada.lovelace").is_err());
    }

    #[test]
    fn the_name_of_a_device_is_cut_rather_than_refused() {
        assert_eq!(device(Some(" Firefox\u{202e} on Linux\n")), "Firefox on Linux");
        assert_eq!(device(Some(&"x".repeat(100))).len(), DEVICE_CHARS_MAX);
        assert_eq!(device(None), "");
    }
}
