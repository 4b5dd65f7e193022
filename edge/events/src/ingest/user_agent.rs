//! Which device, browser and operating system a `User-Agent` names (RFC 9110, section 10.1.5), as families.
//!
//! No version is read: browsers freeze them, and no condition asks for one. A text without a name that is known here says nothing.

use endcap_protocol::touch::cut;
use endcap_targeting::device::{BrowserFamily, DeviceKind, OperatingSystem};

/// Longest part that is looked at, in bytes.
const AGENT_BYTES: usize = 512;

/// What a `User-Agent` names; None where it names none that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct UserAgent {
    /// The kind of device.
    pub device: Option<DeviceKind>,
    /// The browser.
    pub browser: Option<BrowserFamily>,
    /// The operating system.
    pub system: Option<OperatingSystem>,
}

/// Names of browsers; the first that is there counts, because most also call themselves by the names further down.
const BROWSERS: [(&str, BrowserFamily); 42] = [
    ("FBAN/", BrowserFamily::Facebook),
    ("FBAV/", BrowserFamily::Facebook),
    ("FB_IAB/", BrowserFamily::Facebook),
    ("Instagram", BrowserFamily::Instagram),
    ("musical_ly", BrowserFamily::TikTok),
    ("BytedanceWebview", BrowserFamily::TikTok),
    ("TikTok", BrowserFamily::TikTok),
    ("Pinterest", BrowserFamily::Pinterest),
    (" Line/", BrowserFamily::Line),
    ("MicroMessenger/", BrowserFamily::WeChat),
    ("GSA/", BrowserFamily::GoogleApp),
    ("EdgA/", BrowserFamily::Edge),
    ("EdgiOS/", BrowserFamily::Edge),
    ("Edg/", BrowserFamily::Edge),
    ("Edge/", BrowserFamily::Edge),
    ("OPR/", BrowserFamily::Opera),
    ("OPT/", BrowserFamily::Opera),
    ("OPX/", BrowserFamily::Opera),
    ("OPiOS/", BrowserFamily::Opera),
    ("Opera", BrowserFamily::Opera),
    ("SamsungBrowser/", BrowserFamily::SamsungInternet),
    ("YaBrowser/", BrowserFamily::Yandex),
    ("YaApp", BrowserFamily::Yandex),
    ("UCBrowser/", BrowserFamily::Uc),
    ("UBrowser/", BrowserFamily::Uc),
    ("DuckDuckGo/", BrowserFamily::DuckDuckGo),
    ("Ddg/", BrowserFamily::DuckDuckGo),
    ("FxiOS/", BrowserFamily::Firefox),
    ("Focus/", BrowserFamily::Firefox),
    ("Firefox/", BrowserFamily::Firefox),
    ("MSIE ", BrowserFamily::InternetExplorer),
    ("Trident/", BrowserFamily::InternetExplorer),
    ("CriOS/", BrowserFamily::Chrome),
    ("HeadlessChrome/", BrowserFamily::Chrome),
    ("Chromium/", BrowserFamily::Chrome),
    ("Chrome/", BrowserFamily::Chrome),
    ("iPhone", BrowserFamily::Safari),
    ("iPad", BrowserFamily::Safari),
    ("iPod", BrowserFamily::Safari),
    ("Version/", BrowserFamily::Safari),
    ("Safari/", BrowserFamily::Safari),
    ("AppleWebKit/", BrowserFamily::Safari),
];

/// Names of operating systems; the first that is there counts.
const SYSTEMS: [(&str, OperatingSystem); 13] = [
    ("Tizen", OperatingSystem::Tizen),
    ("Web0S", OperatingSystem::WebOs),
    ("webOS", OperatingSystem::WebOs),
    ("iPhone", OperatingSystem::Ios),
    ("iPad", OperatingSystem::Ios),
    ("iPod", OperatingSystem::Ios),
    ("Windows", OperatingSystem::Windows),
    ("Android", OperatingSystem::Android),
    ("CrOS", OperatingSystem::ChromeOs),
    ("Macintosh", OperatingSystem::MacOs),
    ("Mac OS X", OperatingSystem::MacOs),
    ("Linux", OperatingSystem::Linux),
    ("X11", OperatingSystem::Linux),
];

/// What televisions, and boxes beside them, call themselves.
const TVS: [&str; 10] =
    ["SmartTV", "SMART-TV", "Smart TV", "GoogleTV", "Android TV", "AppleTV", "HbbTV", "BRAVIA", "CrKey", "Web0S"];

impl UserAgent {
    /// Reads a `User-Agent`.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let text = cut(text, AGENT_BYTES);
        let names = |name: &str| text.contains(name);
        let system = SYSTEMS.iter().find(|(name, _)| names(name)).map(|(_, system)| *system);
        // The old Edge and Internet Explorer of phones called themselves Android and iPhone too.
        let is_windows_phone = names("Windows Phone");
        let system = if is_windows_phone { Some(OperatingSystem::Windows) } else { system };
        let device = if TVS.into_iter().any(names) {
            Some(DeviceKind::Tv)
        } else if names("iPad") || names("Tablet") {
            Some(DeviceKind::Tablet)
        } else if names("Mobi") || names("iPhone") || names("iPod") || is_windows_phone {
            Some(DeviceKind::Mobile)
        } else {
            match system {
                // Chrome names a phone by the word Mobile and a tablet by leaving it out.
                Some(OperatingSystem::Android) => Some(DeviceKind::Tablet),
                Some(OperatingSystem::Tizen | OperatingSystem::WebOs) => Some(DeviceKind::Tv),
                Some(OperatingSystem::Ios) => Some(DeviceKind::Mobile),
                Some(_) => Some(DeviceKind::Desktop),
                None => None,
            }
        };
        Self { device, browser: BROWSERS.iter().find(|(name, _)| names(name)).map(|(_, browser)| *browser), system }
    }

    /// The same, with what another one says where this one says nothing.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        if self == Self::default() { other } else { self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> [&'static str; 3] {
        let agent = UserAgent::parse(text);
        let device = agent.device.map_or("", DeviceKind::as_str);
        [device, agent.browser.map_or("", BrowserFamily::as_str), agent.system.map_or("", OperatingSystem::as_str)]
    }

    #[test]
    fn browsers_are_told_by_their_names() {
        let mac = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)";
        let phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)";
        let android = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko)";
        let windows = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)";
        let chrome = "Chrome/143.0.0.0";
        let cases = [
            (format!("{mac} Version/18.5 Safari/605.1.15"), ["desktop", "safari", "macos"]),
            (format!("{phone} Version/18.5 Mobile/15E148 Safari/604.1"), ["mobile", "safari", "ios"]),
            (format!("{phone} CriOS/143.0.0.0 Mobile/15E148 Safari/604.1"), ["mobile", "chrome", "ios"]),
            (format!("{phone} FxiOS/145.0 Mobile/15E148 Safari/605.1.15"), ["mobile", "firefox", "ios"]),
            (format!("{phone} Mobile/15E148 Instagram 400.0.0.0"), ["mobile", "instagram", "ios"]),
            (format!("{phone} Mobile/15E148 [FBAN/FBIOS;FBAV/530.0.0]"), ["mobile", "facebook", "ios"]),
            (format!("{phone} Mobile/15E148 Safari Line/15.1.0"), ["mobile", "line", "ios"]),
            (format!("{android} {chrome} Mobile Safari/537.36"), ["mobile", "chrome", "android"]),
            (format!("{android} {chrome} Safari/537.36"), ["tablet", "chrome", "android"]),
            (
                format!("{android} SamsungBrowser/29.0 {chrome} Mobile Safari/537.36"),
                ["mobile", "samsung_internet", "android"],
            ),
            (format!("{windows} {chrome} Safari/537.36"), ["desktop", "chrome", "windows"]),
            (format!("{windows} {chrome} Safari/537.36 Edg/143.0.0.0"), ["desktop", "edge", "windows"]),
            (format!("{windows} {chrome} Safari/537.36 OPR/124.0.0.0"), ["desktop", "opera", "windows"]),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0".to_owned(),
                ["desktop", "firefox", "windows"],
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0".to_owned(),
                ["desktop", "firefox", "linux"],
            ),
            (
                "Mozilla/5.0 (Android 15; Mobile; rv:145.0) Gecko/145.0 Firefox/145.0".to_owned(),
                ["mobile", "firefox", "android"],
            ),
            (
                "Mozilla/5.0 (Android 15; Tablet; rv:145.0) Gecko/145.0 Firefox/145.0".to_owned(),
                ["tablet", "firefox", "android"],
            ),
            (
                format!("Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 {chrome} Safari/537.36"),
                ["desktop", "chrome", "chromeos"],
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko".to_owned(),
                ["desktop", "internet_explorer", "windows"],
            ),
            (
                "Mozilla/5.0 (iPad; CPU OS 12_5 like Mac OS X) AppleWebKit/605.1.15 Version/12.1 Safari/604.1"
                    .to_owned(),
                ["tablet", "safari", "ios"],
            ),
            (
                format!("Mozilla/5.0 (SMART-TV; Linux; Tizen 7.0) AppleWebKit/537.36 {chrome} TV Safari/537.36"),
                ["tv", "chrome", "tizen"],
            ),
            (
                format!("Mozilla/5.0 (Web0S; Linux/SmartTV) AppleWebKit/537.36 {chrome} Safari/537.36"),
                ["tv", "chrome", "webos"],
            ),
            ("curl/8.9".to_owned(), ["", "", ""]),
            (String::new(), ["", "", ""]),
        ];
        for (text, expected) in cases {
            assert_eq!(words(&text), expected, "{text}");
        }
    }
}
