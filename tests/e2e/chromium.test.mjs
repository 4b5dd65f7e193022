/**
 * The whole story in Chromium. Headless Chromium draws no notifications: what it shows is read from the service worker's
 * registration, and that a click opens the cart is for Firefox to prove.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Chromium } from '../harness/chromium.mjs';
import { ChromiumPush } from '../harness/chromiumPush.mjs';
import { Edge } from '../harness/edge.mjs';
import { stepsOf } from '../harness/steps.mjs';
import { until } from '../harness/until.mjs';
import { Story, furnish } from './story.mjs';

const TITLE = 'Your cart is where you left it';

test('Chromium: from the first visit to a clicked notification', { timeout: 150_000 }, async (t) => {
  const service = await ChromiumPush.start();
  t.after(() => service.close());
  const edge = await Edge.start({ shop: true, outbound: (request) => service.receive(request) });
  t.after(() => edge.stop());
  await furnish(edge);
  const chromium = await Chromium.launch({ flags: service.flags });
  t.after(() => chromium.close());
  const story = new Story(edge, chromium);
  const step = stepsOf(t, chromium);
  const before = () => chromium.allowNotifications(edge.origin);

  await step('the first visit asks before it remembers', () => story.firstVisit());
  await step('the visitor agrees, and sees what sells best', () => story.consents());
  await step('browsing and a filled cart', () => story.browses());
  await step('the pop-up opens at its trigger and closes with Escape', () => story.meetsPopup());
  await step('the profile shows all of it', () => story.isKnown());
  await step('the home slot now fits the visitor', () => story.seesOwnPicks());
  await step('a login keeps the profile', () => story.logsIn());
  await step('an order makes the visitor a New customer', () => story.orders());
  await step('the visitor agrees to notifications', () => story.agreesToPush({ before }));
  await step('a second cart is left behind', () => story.leavesSecondCart());
  await step('half an hour later a notification is shown, and a click on it is reported', async () => {
    await story.timePasses();
    const shown = async () => (await chromium.notifications()).some(({ title }) => title === TITLE);
    await until(shown, { what: 'the notification', within: 30_000 });
    await chromium.clickNotification(TITLE);
    await until(async () => !(await shown()), { what: 'the click closes it' });
    assert.deepEqual(service.refusals, []);
  });
  await step('the server API shows everything', async () => {
    await until(() => story.isRemembered(), { what: 'the profile has the whole story' });
  });
  await step('the page threw nothing and logged no error', async () => assert.deepEqual(chromium.errors, []));
});
