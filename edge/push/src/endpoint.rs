//! Endpoint addresses of push subscriptions. They come from browsers, so they are hostile until parsed here.

use core::fmt;

/// Longest endpoint that is accepted, in bytes. Real ones are 150 to 600 bytes long.
pub const MAX_ENDPOINT_LENGTH: usize = 2048;

/// Push services whose host name is one fixed name.
const EXACT_HOSTS: [&str; 2] = ["fcm.googleapis.com", "jmt17.google.com"];

/// Push services that answer on any host below a name; the leading dot is part of the match.
const HOST_SUFFIXES: [&str; 3] = [".push.services.mozilla.com", ".notify.windows.com", ".push.apple.com"];

/// Hosts that mean this machine, for tests against a push service of their own.
const LOOPBACK_HOSTS: [&str; 2] = ["127.0.0.1", "localhost"];

/// Whether `http://127.0.0.1` and `http://localhost` are accepted beside the known push services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loopback {
    /// Known push services over https only: every real deployment.
    Forbidden,
    /// Also plain http to this machine, any port: tests and local development.
    Allowed,
}

/// Why an endpoint was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// Empty or longer than [`MAX_ENDPOINT_LENGTH`].
    #[error("the endpoint must be 1 to {MAX_ENDPOINT_LENGTH} bytes long")]
    Length,
    /// A byte that no browser writes into a serialised URL (control, space, non-ASCII, backslash, quote, fragment …).
    #[error("the endpoint holds a character that a URL may not hold")]
    Character,
    /// Not `https://`.
    #[error("the endpoint must be an https URL")]
    Scheme,
    /// User info, a port other than 443, or an authority that is no plain host name.
    #[error("the endpoint must name a host only: no user info, port 443")]
    Authority,
    /// The host is not one of the push services that browsers use.
    #[error("the endpoint's host is not a known push service")]
    UnknownHost,
}

/// The address of one browser at its push service: https, default port, known host.
///
/// Only the exact spelling that a browser's own URL serialiser gives is accepted (lower-case scheme and host, no
/// default port other than an explicit 443, no fragment), because a string that two URL parsers could read in two
/// ways is how such checks get bypassed.
///
/// ```
/// use endcap_push::{Endpoint, Loopback};
/// let endpoint = Endpoint::parse("https://fcm.googleapis.com/fcm/send/abc", Loopback::Forbidden)?;
/// assert_eq!(endpoint.origin(), "https://fcm.googleapis.com");
/// assert!(Endpoint::parse("https://evil-fcm.googleapis.com/x", Loopback::Forbidden).is_err());
/// # Ok::<(), endcap_push::EndpointError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Endpoint {
    url: String,
    origin: String,
}

impl Endpoint {
    /// Checks `text` and keeps it. Call it when a subscription is saved and again when it is used, so that a
    /// narrower list of hosts applies to what was stored earlier.
    pub fn parse(text: &str, loopback: Loopback) -> Result<Self, EndpointError> {
        if text.is_empty() || text.len() > MAX_ENDPOINT_LENGTH {
            return Err(EndpointError::Length);
        }
        if !text.bytes().all(is_url_byte) {
            return Err(EndpointError::Character);
        }
        let (scheme, rest) = text.split_once("://").ok_or(EndpointError::Scheme)?;
        // A browser always writes the path, so an authority without a following slash is not from one.
        let (authority, _path) = rest.split_once('/').ok_or(EndpointError::Authority)?;
        let origin = match scheme {
            "https" => https_origin(authority)?,
            "http" if loopback == Loopback::Allowed => loopback_origin(authority)?,
            _ => return Err(EndpointError::Scheme),
        };
        Ok(Self { url: text.to_owned(), origin })
    }

    /// The whole address, as given.
    pub fn as_str(&self) -> &str {
        &self.url
    }

    /// Scheme, host and any port that is not the scheme's own: the `aud` claim of RFC 8292, section 2.
    pub fn origin(&self) -> &str {
        &self.origin
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

/// Bytes of RFC 3986 URLs without `#`: printable ASCII less those that parsers treat differently.
fn is_url_byte(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'"' | b'<' | b'>' | b'^' | b'`' | b'{' | b'|' | b'}' | b'#')
}

fn https_origin(authority: &str) -> Result<String, EndpointError> {
    let host = match authority.split_once(':') {
        None => authority,
        Some((host, "443")) => host,
        Some(_) => return Err(EndpointError::Authority),
    };
    if !is_host_name(host) {
        return Err(EndpointError::Authority);
    }
    if !is_push_service(host) {
        return Err(EndpointError::UnknownHost);
    }
    Ok(format!("https://{host}"))
}

fn loopback_origin(authority: &str) -> Result<String, EndpointError> {
    let (host, port) = match authority.split_once(':') {
        None => (authority, None),
        Some((host, port)) => (host, Some(port)),
    };
    if !LOOPBACK_HOSTS.contains(&host) {
        return Err(EndpointError::UnknownHost);
    }
    match port {
        None | Some("80") => Ok(format!("http://{host}")),
        Some(port) if is_port(port) => Ok(format!("http://{host}:{port}")),
        Some(_) => Err(EndpointError::Authority),
    }
}

fn is_push_service(host: &str) -> bool {
    // A name equal to the suffix without its dot does not match: the services answer below it only.
    EXACT_HOSTS.contains(&host)
        || HOST_SUFFIXES.iter().any(|suffix| host.len() > suffix.len() && host.ends_with(suffix))
}

/// Lower-case labels of letters, digits and inner hyphens, joined by single dots, none empty (so no trailing dot).
fn is_host_name(host: &str) -> bool {
    host.len() <= 253 && host.split('.').all(is_label)
}

fn is_label(label: &str) -> bool {
    !label.is_empty()
        && label.len() <= 63
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// 1 to 65535 without a leading zero or sign.
fn is_port(port: &str) -> bool {
    port.bytes().all(|byte| byte.is_ascii_digit()) && !port.starts_with('0') && port.parse::<u16>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn real(text: &str) -> Result<Endpoint, EndpointError> {
        Endpoint::parse(text, Loopback::Forbidden)
    }

    #[test]
    fn every_known_push_service_is_accepted_with_its_origin() {
        let table = [
            ("https://fcm.googleapis.com/fcm/send/dH3:APA91b_-x", "https://fcm.googleapis.com"),
            ("https://jmt17.google.com/fcm/send/abc", "https://jmt17.google.com"),
            ("https://updates.push.services.mozilla.com/wpush/v2/gAAA", "https://updates.push.services.mozilla.com"),
            ("https://wns2-par02p.notify.windows.com/w/?token=BQYAAAD%2b", "https://wns2-par02p.notify.windows.com"),
            ("https://web.push.apple.com/QGuQyavXutnMH", "https://web.push.apple.com"),
            ("https://a.b.push.apple.com/x", "https://a.b.push.apple.com"),
            ("https://web.push.apple.com:443/x", "https://web.push.apple.com"),
        ];
        for (text, origin) in table {
            assert_eq!(real(text).as_ref().map(Endpoint::origin), Ok(origin), "{text}");
        }
    }

    #[test]
    fn hostile_endpoints_are_refused_each_for_its_reason() {
        use EndpointError::{Authority, Character, Length, Scheme, UnknownHost};
        let table = [
            ("", Length),
            ("https://evil-fcm.googleapis.com/x", UnknownHost),
            ("https://evilpush.apple.com/x", UnknownHost),
            ("https://fcm.googleapis.com.evil.example/x", UnknownHost),
            ("https://x.fcm.googleapis.com/x", UnknownHost),
            ("https://push.apple.com/x", UnknownHost),
            ("https://push.services.mozilla.com/x", UnknownHost),
            ("https://.push.apple.com/x", Authority),
            ("https://a..push.apple.com/x", Authority),
            ("https://-a.push.apple.com/x", Authority),
            ("https://fcm.googleapis.com./x", Authority),
            ("https://FCM.googleapis.com/x", Authority),
            ("https://fcm%2egoogleapis.com/x", Authority),
            ("https://fcm.googleapis.com@evil.example/x", Authority),
            ("https://user:pass@fcm.googleapis.com/x", Authority),
            ("https://user@fcm.googleapis.com/x", Authority),
            ("https://evil.example:443@fcm.googleapis.com/x", Authority),
            ("https://fcm.googleapis.com:8443/x", Authority),
            ("https://fcm.googleapis.com:0443/x", Authority),
            ("https://fcm.googleapis.com:/x", Authority),
            ("https://fcm.googleapis.com", Authority),
            ("https://fcm.googleapis.com?/x", Authority),
            ("https:///fcm.googleapis.com/x", Authority),
            ("https://[::1]/x", Authority),
            ("https://evil.example/https://fcm.googleapis.com/x", UnknownHost),
            ("https://127.0.0.1/x", UnknownHost),
            ("https://localhost/x", UnknownHost),
            ("https://169.254.169.254/latest", UnknownHost),
            ("https://0x7f000001/x", UnknownHost),
            ("http://fcm.googleapis.com/x", Scheme),
            ("http://127.0.0.1:9000/x", Scheme),
            ("HTTPS://fcm.googleapis.com/x", Scheme),
            ("ftp://fcm.googleapis.com/x", Scheme),
            ("javascript://fcm.googleapis.com/%0aalert(1)", Scheme),
            ("//fcm.googleapis.com/x", Scheme),
            ("https:fcm.googleapis.com/x", Scheme),
            ("https:\\\\fcm.googleapis.com\\x", Character),
            ("https://evil.example\\.push.apple.com/x", Character),
            ("https://evil.example#.push.apple.com/x", Character),
            ("https://fcm.googleapis.com/x#fragment", Character),
            ("https://fcm.googleapis.com/x\r\nHost: evil.example", Character),
            ("https://fcm.goo\tgleapis.com/x", Character),
            ("\thttps://fcm.googleapis.com/x", Character),
            ("https://fcm.googleapis.com/x ", Character),
            ("https://fcm\u{3002}googleapis.com/x", Character),
            ("https://fcm.googleapis.c\u{43e}m/x", Character),
            ("https://fcm.googleapis.com/\0", Character),
        ];
        for (text, error) in table {
            assert_eq!(real(text), Err(error), "{text:?}");
        }
        assert_eq!(real(&format!("https://web.push.apple.com/{}", "a".repeat(2048))), Err(Length));
    }

    #[test]
    fn loopback_needs_the_flag_and_is_this_machine_only() {
        let local = |text| Endpoint::parse(text, Loopback::Allowed);
        assert_eq!(local("http://127.0.0.1:9000/push/1").map(|e| e.origin), Ok("http://127.0.0.1:9000".into()));
        assert_eq!(local("http://localhost/push").map(|e| e.origin), Ok("http://localhost".into()));
        assert_eq!(local("http://localhost:80/push").map(|e| e.origin), Ok("http://localhost".into()));
        assert!(local("https://web.push.apple.com/x").is_ok());
        for text in [
            "http://127.0.0.1.evil.example/x",
            "http://localhost.evil.example/x",
            "http://127.0.0.2/x",
            "http://127.0.0.1:0/x",
            "http://127.0.0.1:70000/x",
            "http://127.0.0.1:+80/x",
            "http://127.0.0.1:80@evil.example/x",
            "http://fcm.googleapis.com/x",
        ] {
            assert!(local(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_accepted_has_a_known_host(text in "(https?://)?[a-z@:.\\\\/%#-]{0,20}(fcm\\.googleapis\\.com|\\.push\\.apple\\.com|evil)[a-z.@:/?#]{0,12}/?x?") {
            if let Ok(endpoint) = real(&text) {
                let host = endpoint.origin().strip_prefix("https://").unwrap();
                prop_assert!(is_push_service(host));
                // The host ends where the path begins, whichever parser looks at it.
                let after = text.strip_prefix("https://").unwrap().strip_prefix(host).unwrap();
                prop_assert!(after.starts_with('/') || after.starts_with(":443/"));
            }
        }

        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = Endpoint::parse(&text, Loopback::Allowed);
        }
    }
}
