//! Who fetched an image or followed a link: a person, a proxy on a person's behalf, or a machine that looks at mail
//! before anybody reads it.
//!
//! Machines are recognised as far as they say so. A scanner that passes itself off as a browser is taken for a person;
//! nothing in one request tells them apart.

/// Who made a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// Nothing says that it is not a person.
    Person,
    /// A mail service's image proxy, which fetches when the person opens the message; its name.
    Proxy(&'static str),
    /// A prefetcher or scanner; its name.
    Machine(&'static str),
}

/// What a request says about who made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Request<'a> {
    /// `User-Agent`.
    pub agent: &'a str,
    /// `Sec-Purpose`, `Purpose` or `X-Purpose`: browsers say `prefetch` there
    /// (<https://wicg.github.io/nav-speculation/prefetch.html>).
    pub purpose: &'a str,
    /// Whether the method was HEAD: no browser follows a link so.
    pub head: bool,
}

/// Agents that are known by their whole text.
///
/// Apple Mail Privacy Protection fetches every image when the message arrives, by proxies that send the bare
/// `Mozilla/5.0` (<https://www.mailgun.com/blog/product/bot-detection/>). Gmail prefetches for a mailbox that is open
/// elsewhere, with the agent of an Edge that never had this ending (<https://bird.com/zh-sg/blog/gmail-prefetching-images>).
const WHOLE: [(&str, &str); 2] = [
    ("mozilla/5.0", "Apple Mail Privacy Protection"),
    (
        "mozilla/5.0 (windows nt 10.0; win64; x64) applewebkit/537.36 (khtml, like gecko) chrome/42.0.2311.135 \
         safari/537.36 edge/12.246 mozilla/5.0",
        "Gmail prefetch",
    ),
];

/// Image proxies that fetch when the message is opened and cache from then on, so that what they fetch is an open
/// (<https://knowledge.validity.com/hc/en-us/articles/4406957796251>).
const PROXIES: [(&str, &str); 4] = [
    ("googleimageproxy", "Gmail image proxy"),
    ("ggpht.com", "Gmail image proxy"),
    ("yahoomailproxy", "Yahoo Mail image proxy"),
    ("yahoocachesystem", "Yahoo Mail image proxy"),
];

/// Scanners, previews and programs, by a part of the name that they send.
const MACHINES: [(&str, &str); 33] = [
    // Mail security gateways.
    ("barracuda", "Barracuda"),
    ("proofpoint", "Proofpoint"),
    ("mimecast", "Mimecast"),
    ("symantec", "Symantec Email Security"),
    ("messagelabs", "Symantec Email Security"),
    ("trendmicro", "Trend Micro"),
    ("fortinet", "Fortinet"),
    ("forcepoint", "Forcepoint"),
    ("zscaler", "Zscaler"),
    ("ironport", "Cisco Secure Email"),
    ("sophos", "Sophos"),
    ("google-safety", "Google Safety"),
    // Office looks at a link before it opens it. (Outlook itself, `ms-office`, fetches images for who reads.)
    ("existence discovery", "Microsoft Office"),
    ("skypeuripreview", "Microsoft link preview"),
    ("bingpreview", "Microsoft link preview"),
    // Chats fetch what they show a preview of.
    ("slackbot", "Slack"),
    ("slack-imgproxy", "Slack"),
    ("facebookexternalhit", "Facebook"),
    ("whatsapp/", "WhatsApp"),
    ("telegrambot", "Telegram"),
    ("twitterbot", "X"),
    ("linkedinbot", "LinkedIn"),
    ("discordbot", "Discord"),
    // Crawlers and programs.
    ("googlebot", "crawler"),
    ("bot/", "crawler"),
    ("crawler", "crawler"),
    ("spider", "crawler"),
    ("headlesschrome", "headless browser"),
    ("phantomjs", "headless browser"),
    ("curl/", "program"),
    ("wget/", "program"),
    ("python-", "program"),
    ("go-http-client", "program"),
];

impl Reader {
    /// Who made a request for an image.
    #[must_use]
    pub fn of_image(request: Request<'_>) -> Self {
        let agent = request.agent.trim().to_ascii_lowercase();
        if let Some(name) = machine(&agent, request) {
            return Self::Machine(name);
        }
        PROXIES.iter().find(|(part, _)| agent.contains(part)).map_or(Self::Person, |(_, name)| Self::Proxy(name))
    }

    /// Who followed a link. An image proxy has no business there.
    #[must_use]
    pub fn of_link(request: Request<'_>) -> Self {
        match Self::of_image(request) {
            Self::Proxy(name) => Self::Machine(name),
            other => other,
        }
    }

    /// Whether nobody has read anything.
    #[must_use]
    pub fn is_machine(self) -> bool {
        matches!(self, Self::Machine(_))
    }

    /// The proxy's or machine's name.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::Person => None,
            Self::Proxy(name) | Self::Machine(name) => Some(name),
        }
    }
}

fn machine(agent: &str, request: Request<'_>) -> Option<&'static str> {
    if agent.is_empty() {
        return Some("no user agent");
    }
    if request.head {
        return Some("HEAD request");
    }
    let purpose = request.purpose.to_ascii_lowercase();
    if purpose.contains("prefetch") || purpose.contains("preview") {
        return Some("browser prefetch");
    }
    let whole = WHOLE.iter().find(|(whole, _)| *whole == agent);
    whole.or_else(|| MACHINES.iter().find(|(part, _)| agent.contains(part))).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agent(agent: &str) -> Request<'_> {
        Request { agent, ..Request::default() }
    }

    #[test]
    fn people_are_taken_for_people() {
        for text in [
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
            "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Thunderbird/128.4.0",
        ] {
            assert_eq!(Reader::of_image(agent(text)), Reader::Person, "{text}");
            assert_eq!(Reader::of_link(agent(text)), Reader::Person, "{text}");
        }
    }

    #[test]
    fn prefetchers_and_scanners_are_machines() {
        let edge = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
                    Chrome/42.0.2311.135 Safari/537.36 Edge/12.246 Mozilla/5.0";
        for text in
            ["Mozilla/5.0", edge, "", "Barracuda Sentinel (EE)", "Microsoft Office Existence Discovery", "curl/8"]
        {
            assert!(Reader::of_image(agent(text)).is_machine(), "{text}");
        }
        let chrome =
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36";
        let prefetch = Request { purpose: "prefetch;prerender", ..agent(chrome) };
        assert_eq!(Reader::of_link(prefetch), Reader::Machine("browser prefetch"));
        assert!(Reader::of_link(Request { head: true, ..agent(chrome) }).is_machine());
    }

    #[test]
    fn an_image_proxy_opens_for_a_person_but_follows_no_links() {
        let gmail = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)";
        assert_eq!(Reader::of_image(agent(gmail)), Reader::Proxy("Gmail image proxy"));
        assert!(Reader::of_link(agent(gmail)).is_machine());
        assert_eq!(Reader::of_image(agent("YahooMailProxy; https://x")).name(), Some("Yahoo Mail image proxy"));
    }

    #[test]
    fn the_tables_are_in_lower_case() {
        let all = WHOLE.iter().chain(&PROXIES).chain(&MACHINES);
        all.for_each(|(text, _)| assert_eq!(*text, text.to_ascii_lowercase()));
    }
}
