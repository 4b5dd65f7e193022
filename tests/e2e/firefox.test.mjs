/** The whole story in Firefox, up to the click on the notification. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Edge } from '../harness/edge.mjs';
import { Firefox } from '../harness/firefox.mjs';
import { pushPrefs } from '../harness/firefoxPrefs.mjs';
import { PushService } from '../harness/pushService.mjs';
import { stepsOf } from '../harness/steps.mjs';
import { until } from '../harness/until.mjs';
import { Story, furnish } from './story.mjs';

test('Firefox: from the first visit to a clicked notification', { timeout: 150_000 }, async (t) => {
  const service = await PushService.start();
  t.after(() => service.close());
  const edge = await Edge.start({ shop: true });
  t.after(() => edge.stop());
  await furnish(edge);
  const firefox = await Firefox.launch({ prefs: pushPrefs(service.webSocketUrl) });
  t.after(() => firefox.close());
  const story = new Story(edge, firefox);
  const step = stepsOf(t, firefox);

  await step('the first visit asks before it remembers', () => story.firstVisit());
  await step('the visitor agrees, and sees what sells best', () => story.consents());
  await step('browsing and a filled cart', () => story.browses());
  await step('the pop-up opens at its trigger and closes with Escape', () => story.meetsPopup());
  await step('the profile shows all of it', () => story.isKnown());
  await step('the home slot now fits the visitor', () => story.seesOwnPicks());
  await step('a login keeps the profile', () => story.logsIn());
  await step('an order makes the visitor a New customer', () => story.orders());
  await step('the visitor agrees to notifications', () => story.agreesToPush({ after: () => firefox.allow() }));
  await step('a second cart is left behind', () => story.leavesSecondCart());
  await step('half an hour later a notification is on the screen, and a click opens the cart', async () => {
    await story.timePasses();
    const alert = await firefox.alerts.see(() => true);
    assert.equal(alert.title, 'Your cart is where you left it');
    assert.ok(alert.body.length > 0);
    await firefox.alerts.screenshot('firefox-notification');
    await firefox.alerts.click(alert.title);
    await until(async () => (await firefox.tabs()).includes(`${edge.origin}/cart`), { what: 'the cart opens' });
    await firefox.switchToTab(/\/cart$/);
    await firefox.see('main', { text: /Loch Chelsea/i });
    await firefox.screenshot('firefox-cart-from-notification');
    assert.deepEqual(service.refusals, []);
  });
  await step('the server API shows everything', async () => {
    await until(() => story.isRemembered(), { what: 'the profile has the whole story' });
  });
});
