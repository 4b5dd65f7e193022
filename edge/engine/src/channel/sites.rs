//! Sites by what they are, as data.
//!
//! The source: the list that Google publishes for Analytics 4 ("GA4 default channel group: sources and categories", linked
//! from support.google.com/analytics/answer/9756891), which had 819 entries in 2026. What stands for the same site is
//! written once. [`OURS`] adds sites that it leaves out. Matomo's lists of assistants and of social sites (CC0), which
//! `cargo xtask lists` writes anew with their date, say what is on neither.
//!
//! An entry with a dot stands for that host and all below it. One without stands for itself as a campaign's source, and
//! for hosts of that name under any country's domain, as `google` for `www.google.co.uk`. One that begins with `=` stands
//! for itself alone: what the list means there is the search of a site, not the site. The longest entry counts, so that
//! `groups.google.com` is not `google`.

use endcap_validation::maintained_list;
use endcap_validation::url::lies_at;

/// What a site is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A search engine.
    Search,
    /// A social network.
    Social,
    /// A marketplace, or a site that compares prices.
    Shopping,
    /// A video site.
    Video,
    /// A chatbot.
    Assistant,
}

/// Services under a search engine's name that are none.
const NOT_SEARCH: [&str; 12] = [
    "accounts",
    "calendar",
    "chat",
    "classroom",
    "docs",
    "drive",
    "groups",
    "mail",
    "meet",
    "play",
    "sites",
    "translate",
];

/// The name that apps give as their referrer, with the source that they stand for.
const APPS: [(&str, &str); 6] = [
    ("com.google.android.googlequicksearchbox", "google"),
    ("com.google.android.youtube", "youtube"),
    ("com.facebook.katana", "facebook"),
    ("com.instagram.android", "instagram"),
    ("com.linkedin.android", "linkedin"),
    ("com.pinterest", "pinterest"),
];

const SEARCH: &str = "=alice =aol =auone =avg =babylon =cnn =comcast =conduit =globo =google-play =incredimail \
    =search-results =terra =ukr =virgilio 360.cn ask baidu biglobe bing centrum.cz daum dogpile duckduckgo ecosia \
    email.seznam.cz eniro exalead.com excite.com firmy.cz go.mail.ru google kvasir lycos mail.rambler.ru mail.yandex.ru \
    msn najdi naver onet play.google.com qwant rakuten rambler search.aol.co.uk search.aol.com \
    search.smt.docomo.ne.jp search.ukr.net secureurl.ukr.net seznam so.com sogou sp-web.search.auone.jp startsiden \
    suche.aol.de tut.by yahoo yandex";

const SHOPPING: &str = "=google-shopping =igshopping aax-us-east.amazon-adsystem.com aax.amazon-adsystem.com alibaba amazon \
    ebay etsy mercadolibre s3.amazonaws.com shop.app shopify shopping.naver.com shopping.net shopping.yahoo.co.jp \
    shopping.yahoo.com shopzilla simplycodes.com stripe walmart";

const VIDEO: &str = "=ted crackle curiositystream d.tube dailymotion disneyplus fast.wistia.net hulu iq.com iqiyi justin.tv \
    netflix ted.com twitch utreon veoh viadeo.journaldunet.com vimeo wistia youku youtube";

const SOCIAL: &str = "=feedspot =fb =google+ =googleplus =gooblog =hatena =ig =imageshack =line =livedoorblog =newsshowcase \
    =niconico =shareit =social =trustpilot =zalo 43things 51.com 5ch.net academia.edu activerain activeworlds addthis \
    airg.ca allnurses.com allrecipes.com alumniclass ameba.jp ameblo.jp americantowns ancestry.com anobii answerbag \
    answers.yahoo.com aolanswers artstation.com askubuntu asmallworld.com athlinks awe.sm b.hatena.ne.jp baby-gaga \
    babyblog.ru badoo bebo beforeitsnews bharatstudent biip.no biswap.org bit.ly blackcareernetwork.com blackplanet \
    blip.fm blog.com blog.feedspot.com blog.goo.ne.jp blog.naver.com blog.yahoo.co.jp blogg.no bloggang.com blogger \
    blogher bloglines blogs.com blogsome blogspot blogster blurtit bookmarks.yahoo.co.jp bookmarks.yahoo.com brightkite \
    brizzly buzzfeed buzznet cafe.naver.com cafemom camospace canalblog.com care.com care2 caringbridge.org catster \
    cbnt.io cellufun centerblog.net chat.zalo.me chegg.com chicagonow chiebukuro.yahoo.co.jp classmates classquest \
    cocolog-nifty copainsdavant.linternaute.com couchsurfing.org cozycot cross.tv crunchyroll cyworld d.hatena.ne.jp \
    dailystrength.org deluxe.com deviantart dianping digg diigo discover.hubpages.com disqus dogster dol2day doostang \
    dopplr douban draugiem.lv drugs-forum dzone edublogs.org elftown epicurious.com everforo.com exblog.jp extole \
    facebook faceparty fandom.com fanpop fark fb.me fc2 feministing filmaffinity flickr flipboard folkdirect foodservice \
    forums.androidcentral.com forums.crackberry.com forums.imore.com forums.nexopia.com forums.webosnation.com \
    forums.wpcentral.com fotki fotolog foursquare friendfeed fruehstueckstreff.org fubar gaiaonline gamerdna gather.com \
    geni.com getpocket.com glassboard glassdoor godtube goldenline.pl goldstar goo.gl goodreads googlegroups.com govloop \
    gowalla gree.jp groups.google.com gulli.com gutefrage.net habbo hi5 hootsuite houzz hoverspot hr.com hubculture \
    hubpages.com hyves.net hyves.nl ibibo identi.ca imageshack.com imageshack.us imvu insanejournal instagram instapaper \
    internations.org interpals.net intherooms irc-galleria.net is.gd italki jammerdirect jappy.com jappy.de kaboodle.com \
    kakao kakaocorp.com kaneva kin.naver.com last.fm librarything lifestream.aol.com line.me linkedin listal listography \
    livedoor.com livejournal lnkd.in mbga.jp medium.com meetin.org meetup meinvz.net meneame.net menuism.com \
    messages.google.com messages.yahoo.co.jp messenger mix.com mixi.jp mocospace mouthshut movabletype mubi my.opera.com \
    myanimelist.net myheritage mylife mymodernmet myspace netvibes news.ycombinator.com nexopia ngopost.org nicovideo.jp \
    nightlifelink ning odnoklassniki.ru odnoklassniki.ua okwave.jp oneworldgroup.org onstartups opendiary \
    oshiete.goo.ne.jp over-blog.com overblog.com paper.li partyflock.nl photobucket pinboard pingsta pinterest pixiv.net \
    playahead.se plurk plus.google.com plus.url.google.com pocket.co posterous pro.homeadvisor.com pulse.yahoo.com qapacity \
    quechup quora qzone.qq.com ravelry reddit redux renren researchgate.net reunion reverbnation rtl.de ryze salespider \
    scoop.it screenrant scribd scvngr secondlife serverfault sharethis shvoong.com sites.google.com skype skyrock \
    slashdot.org slideshare.net smartnews.com snapchat sociallife.com.br socialvibe spaces.live.com spoke spruz ssense.com \
    stackapps stackexchange stackoverflow stardoll.com stickam studivz.net suomi24.fi superuser sweeva t.co t.me tagged \
    taggedmail talkbiznow taringa.net techmeme tencent tiktok tinyurl toolbox travellerspoint tripadvisor trombi tudou \
    tuenti tumblr tweetdeck twitter twoo.com typepad unblog.fr urbanspoon.com ushareit.com ushi.cn vampirefreaks \
    vampirerave vg.no video.ibm.com vk.com vkontakte.ru wakoopa wattpad webshots wechat weebly weibo wer-weiss-was.de weread \
    whatsapp wiki.answers.com wikihow.com wikitravel.org woot.com wordpress xanga xing yahoo-mbga.jp yammer yelp youroom.in \
    zoo.gr zooppa";

/// Chatbots that Google names for its channel of May 2026; it publishes no list of their hosts.
const ASSISTANT: &str = "=chatgpt =claude =copilot =gemini =grok =perplexity chat.openai.com chatgpt.com claude.ai \
    copilot.microsoft.com gemini.google.com grok.com perplexity.ai";

/// What Google's list leaves out and shops see, most of it in Europe or younger than the list.
const OURS: [(Kind, &str); 4] = [
    (Kind::Search, "brave startpage"),
    (
        Kind::Shopping,
        "aliexpress billiger.de bol.com geizhals guenstiger.de idealo kelkoo pricerunner pricespy temu zalando",
    ),
    (Kind::Video, "youtu.be"),
    (Kind::Social, "bsky.app bsky.social discord l.threads.net mastodon.social ok.ru telegram threads.net x.com"),
];

/// Hosts of assistants and of social sites, by Matomo.
const ASSISTANTS: &str = include_str!("assistants.txt");
const SOCIALS: &str = include_str!("socials.txt");

/// The entry of a list of hosts that a host lies at.
fn listed(list: &'static str, host: &str) -> Option<&'static str> {
    maintained_list::entries(list).find(|entry| lies_at(host, entry))
}

/// What the site of a source in lower case is; None where it is on no list.
pub(super) fn kind(source: &str) -> Option<Kind> {
    find(source).map(|(kind, _)| kind)
}

/// The short name of a search engine's host or app, as reports name it.
pub(super) fn engine(host: &str) -> Option<&'static str> {
    find(host).filter(|(kind, _)| *kind == Kind::Search).map(|(_, name)| name)
}

/// The entry that stands for a source: the longest of those that name it or its host, else one of that name.
fn find(source: &str) -> Option<(Kind, &'static str)> {
    let app = APPS.iter().find(|(app, _)| *app == source).map(|(_, short)| *short);
    let source = &app.unwrap_or(source).replace(' ', "-");
    let published = [
        (Kind::Shopping, SHOPPING),
        (Kind::Video, VIDEO),
        (Kind::Social, SOCIAL),
        (Kind::Search, SEARCH),
        (Kind::Assistant, ASSISTANT),
    ];
    let entries = || {
        let lists = published.iter().chain(&OURS);
        lists.flat_map(|(kind, list)| list.split_ascii_whitespace().map(|entry| (*kind, entry)))
    };
    let exact = entries().filter_map(|(kind, entry)| {
        let name = entry.strip_prefix('=').unwrap_or(entry);
        (source == name || (entry.contains('.') && lies_at(source, entry))).then_some((kind, name))
    });
    let first = source.split('.').next().unwrap_or_default();
    let named = || entries().find(|(_, entry)| stands_for(entry, source));
    let found = exact.max_by_key(|(_, name)| name.len());
    found
        .or_else(|| listed(ASSISTANTS, source).map(|host| (Kind::Assistant, host)))
        .or_else(|| named().filter(|(kind, _)| *kind != Kind::Search || !NOT_SEARCH.contains(&first)))
        .or_else(|| listed(SOCIALS, source).map(|host| (Kind::Social, host)))
}

/// Whether a name without a dot is that of a host.
fn stands_for(entry: &str, host: &str) -> bool {
    let labels: Vec<&str> = host.rsplit('.').collect();
    // The name stands before a country's domain (`de`), a general one (`com`) or both (`co.uk`).
    match labels.as_slice() {
        [country, kind, name, ..] if country.len() == 2 && kind.len() <= 3 && *name == entry => true,
        [_, name, ..] => *name == entry,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sites_are_known_under_every_domain_and_no_other_is_taken_for_them() {
        let cases = [
            ("google", Some(Kind::Search)),
            ("www.google.co.uk", Some(Kind::Search)),
            ("google.de", Some(Kind::Search)),
            ("r.search.yahoo.com", Some(Kind::Search)),
            ("docs.google.com", None),
            ("mail.yahoo.com", None),
            ("google.evil.example", None),
            ("notgoogle.com", None),
            ("l.facebook.com", Some(Kind::Social)),
            ("t.co", Some(Kind::Social)),
            ("chat.co", None),
            ("x.com", Some(Kind::Social)),
            ("netflix.com", Some(Kind::Video)),
            ("phoenix.com", None),
            ("shopping.google.com", Some(Kind::Search)),
            ("www.amazon.co.jp", Some(Kind::Shopping)),
            ("www.youtube.com", Some(Kind::Video)),
            ("com.facebook.katana", Some(Kind::Social)),
            ("", None),
        ];
        for (source, expected) in cases {
            assert_eq!(kind(source), expected, "{source}");
        }
        assert_eq!(engine("www.google.co.uk"), Some("google"));
        assert_eq!(engine("mail.google.com"), None);
    }

    #[test]
    fn the_published_list_decides_below_a_known_name() {
        let cases = [
            ("groups.google.com", Some(Kind::Social)),
            ("play.google.com", Some(Kind::Search)),
            ("gemini.google.com", Some(Kind::Assistant)),
            ("chatgpt.com", Some(Kind::Assistant)),
            ("answers.yahoo.com", Some(Kind::Social)),
            ("store.shopping.yahoo.co.jp", Some(Kind::Shopping)),
            ("m.blog.naver.com", Some(Kind::Social)),
            ("m.search.naver.com", Some(Kind::Search)),
            ("rakuten.co.jp", Some(Kind::Search)),
            ("google shopping", Some(Kind::Shopping)),
            ("cnn", Some(Kind::Search)),
            ("edition.cnn.com", None),
            ("line", Some(Kind::Social)),
            ("line.example", None),
            ("tripadvisor.de", Some(Kind::Social)),
            ("ok.ru", Some(Kind::Social)),
        ];
        for (source, expected) in cases {
            assert_eq!(kind(source), expected, "{source}");
        }
    }

    #[test]
    fn every_entry_stands_for_itself_and_is_listed_once() {
        let lists = [SEARCH, SHOPPING, VIDEO, SOCIAL, ASSISTANT].into_iter().chain(OURS.map(|(_, list)| list));
        let mut names: Vec<&str> = lists.flat_map(str::split_ascii_whitespace).collect();
        let plain =
            |name: &str| name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"=.-+".contains(&b));
        assert!(names.iter().all(|name| plain(name) && kind(name.trim_start_matches('=')).is_some()));
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn maintained_lists_say_what_ours_do_not() {
        for (host, expected) in [
            ("chat.deepseek.com", Kind::Assistant),
            ("chat.mistral.ai", Kind::Assistant),
            ("www.meta.ai", Kind::Assistant),
            ("notebooklm.google.com", Kind::Assistant),
            ("ai.baidu.com", Kind::Assistant),
            ("www.baidu.com", Kind::Search),
            ("www.youtube.com", Kind::Video),
            ("youtu.be", Kind::Video),
            ("dribbble.com", Kind::Social),
            ("v2ex.com", Kind::Social),
        ] {
            assert_eq!(kind(host), Some(expected), "{host}");
        }
        for host in ["notmeta.ai", "login.live.com", "github.com"] {
            assert_eq!(kind(host), None, "{host}");
        }
        for list in [ASSISTANTS, SOCIALS] {
            assert!(
                list.starts_with("# https://")
                    && list.lines().nth(1).is_some_and(|line| line.starts_with("# Fetched on 20"))
            );
        }
    }

    proptest! {
        #[test]
        fn any_source_is_answered(source in ".{0,80}") {
            let known = kind(&source);
            prop_assert!(engine(&source).is_none() || known == Some(Kind::Search));
        }
    }
}
