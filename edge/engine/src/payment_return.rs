//! Returns to the shop that are no arrivals: from a payment provider, a bank's check of a card, or the shop's own domains.
//!
//! Role in the flow of one event: before it is applied. A visitor who pays elsewhere comes back with that site as the referrer.
//! Taken for an arrival, it would take the order away from what really brought the visitor.

use endcap_events::ingest::Batch;
use endcap_profile::touchpoint;
use endcap_protocol::FieldError;
use endcap_validation::url::lies_at;

/// Hosts of payment providers, of installment plans and of card checks; each stands for all below it. As of November 2026; a shop
/// adds its own by the setting `ignored_referrers`. Kept by hand from the providers' own documents on their payment pages.
const PROVIDERS: &str = "2c2p.com 2checkout.com 3dsecure.io adyen.com affirm.com afterpay.com airwallex.com alipay.com alma.eu \
    amazonpay.amazon.com apay-us.amazon.com arcot.com atome.sg authorize.net bambora.com bancontact.com barclaycard.co.uk \
    billie.io billmate.com bizum.es blik.com bluepay.com braintreegateway.com buckaroo.nl cardinalcommerce.com \
    cashfree.com ccavenue.com checkout.com checkout.dibspayment.eu checkout.shopify.com clearpay.co.uk \
    computop-paygate.com concardis.com cybersource.com datatrans.biz datatrans.com dlocal.com dotpay.pl ebanx.com \
    ecpay.com.tw eghl.com epay.bg epay.com epayments.com eps-ueberweisung.at fawry.com finix.com flutterwave.com \
    gestpay.net girogate.de giropay.de globalpayments.com gmo-pg.com gocardless.com heidelpay.com hipay-tpp.com hipay.com \
    hips.com hyperpay.com hyperwallet.com ideal.nl inicis.com instamojo.com ipay88.com iyzico.com iyzipay.com jkopay.com \
    kakaopay.com kcp.co.kr klarna.com knet.com.kw komoju.com kueskipay.com laybuy.com lyra.com maksekeskus.ee \
    mercadopago.com mercadopago.com.ar mercadopago.com.br mercadopago.com.mx midtrans.com mobilepay.dk mollie.com \
    moneris.com monetico-services.com mul-pay.jp multibanco.pt multisafepay.com mypos.com netaxept.no netopia-payments.com \
    nets.eu newebpay.com nexi.it nicepay.co.kr nuvei.com oceanpayment.com omise.co oney.eu oney.fr opayo.co.uk \
    opayo.eu.elavon.com opn.ooo pagar.me pagseguro.uol.com.br pay.amazon.co.uk pay.amazon.com pay.amazon.de pay.amazon.eu \
    pay.google.com pay.line.me pay.naver.com pay.nl pay.rakuten.co.jp pay.shopify.com paybox.com paybright.com payco.com \
    paydirekt.de payfort.com paygent.co.jp payments.amazon.com payments.amazon.de paymentwall.com payone.com payoneer.com \
    payop.com paypal.com paypay.ne.jp payplug.com paysafe.com paysafecard.com paysera.com paystack.com paytabs.com \
    paytm.in paytr.com payu.com payu.in payu.pl payzen.eu peachpayments.com pesapal.com pin.net.au pix.bcb.gov.br \
    postepay.it postfinance.ch przelewy24.pl quickpay.net rapyd.net ratepay.com razorpay.com redsys.es riverty.com \
    robokassa.ru safepay.com saferpay.com sagepay.com satispay.com scalapay.com securepay.com.au securesuite.co.uk \
    securetrading.com sezzle.com shop.app shopeepay.com sibs.pt simplepay.hu skrill.com sofort.com splitit.com \
    squareup.com stripe.com sumup.com swedbankpay.com swish.nu systempay.fr tabby.ai tamara.co tappay.io tappaysdk.com \
    tosspayments.com tpay.com trustly.com twint.ch twocheckout.com unzer.com vepay.ru veritrans.co.jp vipps.no \
    vivapayments.com vivawallet.com walletdoc.com web-pay.line.me wirecard.com wompi.co worldline.com worldpay.com \
    wx.tenpay.com xendit.co yoco.com yookassa.ru zip.co zipmoney.com.au";

/// Most hosts of the setting.
const MAX_HOSTS: usize = 100;

/// Checks the hosts of the setting.
///
/// # Errors
/// The one that is none, with its place.
pub fn check_hosts(hosts: &[String]) -> Result<(), FieldError> {
    if hosts.len() > MAX_HOSTS {
        return Err(FieldError::new("", "must hold at most 100 hosts"));
    }
    for (at, host) in hosts.iter().enumerate() {
        let of_host = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-');
        let right = (1..=253).contains(&host.len()) && host.bytes().all(of_host) && !host.starts_with('.');
        if !right {
            return Err(FieldError::new(format!("[{at}]"), "must be a host name in lower case, such as pay.example"));
        }
    }
    Ok(())
}

/// Takes the referrer from events that are returns. `ignored` are hosts of the shop's own choice, `own` the shop's origins.
pub fn forget_returns(batch: &mut Batch, ignored: &[String], own: &[String]) {
    for event in &mut batch.events {
        let referrer = &mut event.context.referrer;
        if !referrer.is_empty() && host(referrer).is_some_and(|host| is_return(host, ignored, own)) {
            referrer.clear();
        }
    }
}

fn is_return(from: &str, ignored: &[String], own: &[String]) -> bool {
    let from = from.to_ascii_lowercase();
    // Most referrers are pages of the shop itself.
    own.iter().filter_map(|origin| host(origin)).any(|host| host == from)
        || ignored.iter().map(String::as_str).chain(PROVIDERS.split(' ')).any(|site| lies_at(&from, site))
}

/// The host of an address, without its port.
fn host(url: &str) -> Option<&str> {
    touchpoint::host(url)?.split(':').next()
}

#[cfg(test)]
mod tests {
    use endcap_events::ingest::ingest;
    use serde_json::json;

    use super::*;

    /// What is left of a referrer.
    fn left(referrer: &str) -> String {
        let body = json!({"source": "shop", "anonymous_id": "b", "events": [{"message_id": "m", "type": "page", "timestamp": 5,
            "context": {"page": {"url": "https://shop.example/thanks", "referrer": referrer}}}]});
        let mut batch = ingest(body.to_string().as_bytes(), 5).unwrap();
        let own = ["https://shop.example", "https://pay.shop.example:8443", "*"].map(str::to_owned);
        forget_returns(&mut batch, &["bank.example".to_owned()], &own);
        batch.events.remove(0).context.referrer
    }

    #[test]
    fn who_comes_back_from_paying_did_not_arrive() {
        for back in [
            "https://www.paypal.com/checkoutnow?token=1",
            "https://checkout.stripe.com/pay/cs_1",
            "https://payments.klarna.com/",
            "https://live.adyen.com/hpp",
            "https://payment.ecpay.com.tw/Cashier",
            "https://web-pay.line.me/",
            "https://PAY.LINE.ME/",
            "https://3ds.bank.example/acs",
            "https://pay.shop.example/done",
        ] {
            assert_eq!(left(back), "", "{back}");
        }
    }

    #[test]
    fn other_sites_are_arrivals() {
        for from in [
            "https://www.google.com/",
            "https://notpaypal.com/",
            "https://paypal.com.evil.example/",
            "https://line.me/",
            "https://blog.shop.example/",
            "android-app://com.paypal",
            "nonsense",
            "",
        ] {
            assert_eq!(left(from), from);
        }
    }

    #[test]
    fn every_provider_is_a_host_once() {
        let mut hosts: Vec<String> = PROVIDERS.split(' ').map(str::to_owned).collect();
        assert!(hosts.iter().all(|host| host.contains('.') && check_hosts(std::slice::from_ref(host)).is_ok()));
        let count = hosts.len();
        hosts.sort_unstable();
        hosts.dedup();
        assert_eq!(hosts.len(), count);
    }

    #[test]
    fn hosts_of_a_setting_are_checked() {
        assert!(check_hosts(&["pay.example".to_owned(), "xn--bcher-kva.example".to_owned()]).is_ok());
        for bad in ["", "https://pay.example", "Pay.example", "pay example", ".example"] {
            assert_eq!(check_hosts(&[bad.to_owned()]).unwrap_err().path, "[0]", "{bad}");
        }
        assert!(check_hosts(&vec!["a.example".to_owned(); 101]).is_err());
    }
}
