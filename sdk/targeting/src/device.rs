//! What conditions ask of the device that somebody came with last, and of the place that it was at.

use crate::fact_names::facts;

facts! {
    /// What is known of the device that came last.
    DeviceText {
        /// The kind of device.
        Device "device",
        /// The family of browsers.
        Browser "browser",
        /// The operating system.
        System "operating_system",
        /// The language without its region, in lower case, such as `de` (RFC 5646, section 2.2.1).
        Language "language",
        /// The whole language tag, such as `de-AT` (RFC 5646).
        Locale "locale",
        /// The country, two capital letters (ISO 3166-1).
        Country "country",
        /// The part of the country by its code, such as `DE-BY` (ISO 3166-2).
        Region "region",
        /// The city, by its English name.
        City "city",
    }
}

facts! {
    /// A kind of device.
    DeviceKind {
        /// A phone.
        Mobile "mobile",
        /// A tablet. One whose browser asks for pages of desktop computers, as Safari of an iPad does, is not known as one.
        Tablet "tablet",
        /// A desktop or a portable computer.
        Desktop "desktop",
        /// A television, or a box beside one.
        Tv "tv",
    }
}

facts! {
    /// A family of browsers, or the app that shows pages in its own window.
    BrowserFamily {
        /// Chrome, and what does not say that it is another.
        Chrome "chrome",
        /// Safari.
        Safari "safari",
        /// Edge.
        Edge "edge",
        /// Firefox.
        Firefox "firefox",
        /// Samsung Internet.
        SamsungInternet "samsung_internet",
        /// Opera.
        Opera "opera",
        /// DuckDuckGo.
        DuckDuckGo "duckduckgo",
        /// Yandex Browser.
        Yandex "yandex",
        /// UC Browser.
        Uc "uc",
        /// Internet Explorer.
        InternetExplorer "internet_explorer",
        /// The app of Facebook or its Messenger.
        Facebook "facebook",
        /// The app of Instagram.
        Instagram "instagram",
        /// The app of TikTok.
        TikTok "tiktok",
        /// The app of Pinterest.
        Pinterest "pinterest",
        /// The app of Line.
        Line "line",
        /// The app of WeChat.
        WeChat "wechat",
        /// The app of Google Search.
        GoogleApp "google_app",
    }
}

facts! {
    /// An operating system.
    OperatingSystem {
        /// Windows.
        Windows "windows",
        /// macOS.
        MacOs "macos",
        /// iOS and iPadOS.
        Ios "ios",
        /// Android.
        Android "android",
        /// ChromeOS.
        ChromeOs "chromeos",
        /// Another Linux.
        Linux "linux",
        /// Tizen.
        Tizen "tizen",
        /// webOS.
        WebOs "webos",
    }
}

impl DeviceText {
    /// The texts that there are, where they are a list of our own.
    #[must_use]
    pub fn words(self) -> Option<Vec<&'static str>> {
        fn all<T: Copy>(words: &[T], of: fn(T) -> &'static str) -> Option<Vec<&'static str>> {
            Some(words.iter().map(|word| of(*word)).collect())
        }
        match self {
            Self::Device => all(DeviceKind::ALL, DeviceKind::as_str),
            Self::Browser => all(BrowserFamily::ALL, BrowserFamily::as_str),
            Self::System => all(OperatingSystem::ALL, OperatingSystem::as_str),
            Self::Language | Self::Locale | Self::Country | Self::Region | Self::City => None,
        }
    }

    /// What is wrong with a text that is never equal to this; None where it may be.
    #[must_use]
    pub fn mistake(self, text: &str) -> Option<String> {
        let lower = |text: &str| text.bytes().all(|letter| letter.is_ascii_lowercase());
        let upper = |text: &str| text.len() == 2 && text.bytes().all(|letter| letter.is_ascii_uppercase());
        let wanted = match self {
            Self::Device | Self::Browser | Self::System => {
                let words = self.words().unwrap_or_default();
                return (!words.contains(&text)).then(|| format!("must be one of {}", words.join(", ")));
            }
            Self::Language if !(2..=8).contains(&text.len()) || !lower(text) => {
                "must be a language in lower case, as \"de\"; `locale` is the whole tag, as \"de-AT\""
            }
            Self::Country if !upper(text) => "must be two capital letters (ISO 3166-1), as \"DE\"",
            Self::Region if !text.split_once('-').is_some_and(|(country, _)| upper(country)) => {
                "must be a code of ISO 3166-2, as \"DE-BY\""
            }
            Self::Language | Self::Locale | Self::Country | Self::Region | Self::City => return None,
        };
        Some(wanted.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_never_seen_is_a_mistake() {
        let is_mistake = |(fact, text): (DeviceText, &str)| fact.mistake(text).is_some();
        let never = [
            (DeviceText::Device, "phone"),
            (DeviceText::Browser, "Chrome"),
            (DeviceText::System, "iOS"),
            (DeviceText::Language, "de-AT"),
            (DeviceText::Language, "German"),
            (DeviceText::Country, "Germany"),
            (DeviceText::Country, "de"),
            (DeviceText::Region, "Bavaria"),
        ];
        assert_eq!(never.map(is_mistake), [true; 8]);
        let seen = [
            (DeviceText::Device, "mobile"),
            (DeviceText::Browser, "samsung_internet"),
            (DeviceText::System, "ios"),
            (DeviceText::Language, "de"),
            (DeviceText::Locale, "de-AT"),
            (DeviceText::Country, "DE"),
            (DeviceText::Region, "GB-ENG"),
            (DeviceText::City, "Munich"),
        ];
        assert_eq!(seen.map(is_mistake), [false; 8]);
    }
}
