//! Robots: senders of batches that are no visitors.
//!
//! Role in the flow of one event: before its batch is parsed. The edge counts a robot's events and does not apply them,
//! so that a crawler that runs scripts adds no profiles, views or sessions.

use std::collections::BTreeMap;

use endcap_protocol::touch::cut;
use endcap_validation::hash::hash;
use endcap_validation::maintained_list::entries;

/// Longest part of an agent's name that is looked at, in bytes.
const AGENT_BYTES: usize = 400;
/// Verdicts remembered; there are fewer browsers in use at a time.
const VERDICTS: usize = 2048;

/// Names of monitors and renderers that look like browsers otherwise, in lower case.
const NAMED: [&str; 16] = [
    "adsbot",
    "catchpoint",
    "dareboost",
    "datadogsynthetics",
    "google-inspectiontool",
    "google-read-aloud",
    "gtmetrix",
    "lighthouse",
    "mediapartners-google",
    "newrelicsynthetics",
    "nutch",
    "phantomjs",
    "pingdom",
    "site24x7",
    "slurp",
    "speedcurve",
];

/// Names of robots in lower case, by others (the file says whom and when); `cargo xtask lists` writes it anew.
const LISTED: &str = include_str!("robots.txt");

/// What tells a browser that a program drives, in lower case.
const DRIVEN: [&str; 8] =
    ["cypress", "electron", "headless", "htmlunit", "jsdom", "playwright", "puppeteer", "webdriver"];

/// Names of phones that contain the name of a robot.
const PHONES: [&str; 1] = ["cubot"];

/// Which senders count as robots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BotFilter {
    /// None.
    Off,
    /// Known crawlers, monitors and link previews, by name.
    #[default]
    Agents,
    /// Those, browsers that a program drives, and what is no browser at all.
    Strict,
}

impl BotFilter {
    /// The filter that a deployment sets: `off`, `agents` or `strict`; anything else is the default.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        match text {
            "off" => Self::Off,
            "strict" => Self::Strict,
            _ => Self::Agents,
        }
    }

    /// Whether a request with this `User-Agent` and `Sec-CH-UA` (empty where there is none) is a robot's.
    #[must_use]
    pub fn catches(self, agent: &str, brands: &str) -> bool {
        match self {
            Self::Off => false,
            Self::Agents => is_crawler(agent, true),
            Self::Strict => {
                let driven = |text: &str| DRIVEN.iter().any(|name| text.to_ascii_lowercase().contains(name));
                is_crawler(agent, false) || driven(agent) || driven(brands)
            }
        }
    }
}

/// Whether our list, or that of the crate `iscrawl`, names the agent. Takes an agent on neither list for a browser if
/// `browser` is set; otherwise for a robot, unless it names a browser's engine.
fn is_crawler(agent: &str, browser: bool) -> bool {
    let mut agent = cut(agent, AGENT_BYTES).to_ascii_lowercase();
    for phone in PHONES {
        agent = agent.replace(phone, "phone");
    }
    if NAMED.into_iter().chain(entries(LISTED)).any(|name| agent.contains(name)) {
        return true;
    }
    // The crate caches a verdict by a text's address, its length, and its first and last eight bytes. Two texts that
    // are read into the same memory could share a verdict, so digits of a hash at the end tell them apart.
    let digits = u64::from_le_bytes(hash(&agent)) % 100_000_000;
    let engine = if browser { " gecko" } else { "" };
    let empty = agent.is_empty() && !browser;
    empty || iscrawl::is_crawler(&format!("{agent}{engine} {digits:08}"))
}

/// Verdicts by agent, so that the lists are gone through once for each and not with each batch.
#[derive(Debug, Default)]
pub struct Verdicts(BTreeMap<u64, bool>);

impl Verdicts {
    /// Whether a request with these headers is a robot's.
    pub fn catches(&mut self, filter: BotFilter, agent: &str, brands: &str) -> bool {
        let key = u64::from_le_bytes(hash(agent)) ^ u64::from_le_bytes(hash(brands)).rotate_left(1);
        if let Some(known) = self.0.get(&key) {
            return *known;
        }
        if self.0.len() >= VERDICTS {
            self.0.clear();
        }
        let verdict = filter.catches(agent, brands);
        self.0.insert(key, verdict);
        verdict
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHROME: &str =
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36";
    const HEADLESS: &str =
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/156.0.0.0 Safari/537.36";
    const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0";
    const CUBOT: &str = "Mozilla/5.0 (Linux; Android 12; CUBOT P60) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Mobile Safari/537.36";
    const GOOGLEBOT: &str = "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; Googlebot/2.1; +http://www.google.com/bot.html) Chrome/119.0 Safari/537.36";
    const LIGHTHOUSE: &str = "Mozilla/5.0 (Linux; Android 11; moto g power) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/119.0 Mobile Safari/537.36 Chrome-Lighthouse";

    #[test]
    fn browsers_are_visitors_in_every_mode() {
        for filter in [BotFilter::Off, BotFilter::Agents, BotFilter::Strict] {
            for agent in [CHROME, FIREFOX, CUBOT] {
                assert!(!filter.catches(agent, ""), "{filter:?} {agent}");
            }
        }
    }

    #[test]
    fn crawlers_are_caught_by_name_and_driven_browsers_only_where_that_is_wanted() {
        for agent in [GOOGLEBOT, LIGHTHOUSE, "Twitterbot/1.0", "facebookexternalhit/1.1 (+http://x.example)"] {
            assert!(BotFilter::Agents.catches(agent, ""), "{agent}");
            assert!(BotFilter::Strict.catches(agent, ""), "{agent}");
            assert!(!BotFilter::Off.catches(agent, ""), "{agent}");
        }
        for agent in [HEADLESS, "node", "curl/8.5.0", ""] {
            assert!(!BotFilter::Agents.catches(agent, ""), "{agent}");
            assert!(BotFilter::Strict.catches(agent, ""), "{agent}");
        }
        let brands = "\"Chromium\";v=\"156\", \"HeadlessChrome\";v=\"156\"";
        assert!(BotFilter::Strict.catches(CHROME, brands));
        assert!(!BotFilter::Agents.catches(CHROME, brands));
    }

    #[test]
    fn robots_that_others_list_are_caught_and_browsers_within_apps_are_not() {
        for name in ["ChatGPT-User/1.0", "Claude-User/1.0", "Perplexity-User/1.0", "MistralAI-User/1.0", "GPTBot/1.3"] {
            let agent =
                format!("Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; {name}; +https://x.example/)");
            assert!(BotFilter::Agents.catches(&agent, ""), "{name}");
        }
        let webkit = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148";
        for app in [
            "Safari/604.1",
            "Instagram 390.0.0.28.85 (iPhone14,5; iOS 18_5; de_DE; de; scale=3.00; 1170x2532; IABMV/1; 752217655)",
            "[FBAN/FBIOS;FBAV/520.0.0.38.101;FBBV/756351453;FBDV/iPhone14,7;FBMD/iPhone;FBSN/iOS;FBSV/18.5;FBSS/3]",
            "[LinkedInApp]/9.31.2435",
            "Snapchat/13.45.0.50 (like Safari/8621.2.5.10.10, panda)",
            "[Pinterest/iOS]",
            "musical_ly_39.8.0 JsSdk/2.0 NetType/WIFI Channel/App Store ByteLocale/de Region/DE BytedanceWebview/d8a21c6",
            "GSA/375.0.779979158 Safari/604.1",
            "MicroMessenger/8.0.61(0x18003d2a) NetType/WIFI Language/zh_TW",
            "Line/15.10.1",
            "EdgiOS/138.0.3351.77 Version/18.0 Safari/604.1",
            "DuckDuckGo/7 Safari/605.1.15",
        ] {
            assert!(!BotFilter::Agents.catches(&format!("{webkit} {app}"), ""), "{app}");
        }
        for agent in [
            "Mozilla/5.0 (Linux; Android 15; CPH2557 Build/AP3A.240617.008; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/138.0.7204.63 Mobile Safari/537.36 Instagram 406.0.0.0.9 Android",
            "Mozilla/5.0 (Linux; Android 5.0; HTC Butterfly S 919d Build/LRX22G) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/95.0 Mobile Safari/537.36",
            "Mozilla/5.0 (Linux; Android 14; K) AppleWebKit/537.36 (KHTML, like Gecko) CocCocBrowser/137.0.258 Chrome/131.0.6778.258 Mobile Safari/537.36",
            "Mozilla/5.0 (Linux; Android 14; SM-S928B Build/UP1A.231005.007; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/126.0.6478.134 Mobile Safari/537.36",
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Safari/537.36",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0.0.0 Safari/537.36 OPR/121.0.0.0",
            "Mozilla/5.0 (Linux; arm_64; Android 15; SM-A556E) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/136.0.7103.48 YaBrowser/25.6.0 Mobile Safari/537.36",
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15",
            "Mozilla/5.0 (Linux; Android 13; 23021RAAEG Build/TKQ1.221114.001) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/112.0.5615.136 Mobile Safari/537.36 XiaoMi/MiuiBrowser/14.31.0-gn",
            "Mozilla/5.0 (Linux; U; Android 12; en-US; RMX3268) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/100.0.4896.58 UCBrowser/13.7.2.1636 Mobile Safari/537.36",
        ] {
            assert!(!BotFilter::Agents.catches(agent, ""), "{agent}");
        }
    }

    #[test]
    fn a_verdict_is_the_same_when_it_is_remembered() {
        let mut verdicts = Verdicts::default();
        for _ in 0..3 {
            assert!(!verdicts.catches(BotFilter::Agents, CHROME, ""));
            assert!(verdicts.catches(BotFilter::Agents, GOOGLEBOT, ""));
        }
        for n in 0..VERDICTS * 2 {
            assert!(!verdicts.catches(BotFilter::Agents, &format!("{CHROME} {n}"), ""));
        }
        assert!(verdicts.0.len() <= VERDICTS);
    }

    #[test]
    fn agents_of_one_length_that_begin_and_end_alike_are_told_apart() {
        // One buffer, as where each request is read into the same memory.
        let mut buffer = String::new();
        for (middle, robot) in [("windows", false), ("someb0t", false), ("somebot", true), ("windows", false)] {
            buffer.clear();
            buffer.push_str(&format!("Mozilla/5.0 ({middle}) Gecko/20100101 Firefox/153.0"));
            assert_eq!(BotFilter::Agents.catches(&buffer, ""), robot, "{middle}");
        }
    }

    #[test]
    fn settings_are_read() {
        assert_eq!(BotFilter::parse("off"), BotFilter::Off);
        assert_eq!(BotFilter::parse("strict"), BotFilter::Strict);
        assert_eq!(BotFilter::parse(""), BotFilter::Agents);
    }
}
