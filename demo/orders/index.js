// SPDX-License-Identifier: Apache-2.0
// Takes an order: asks the shop for the price, over HTTP, traced by X-Ray's
// own SDK. What goes wrong is chosen by the event, in the shop: a slow answer,
// an error, or one that comes after the function's time is up.
const http = require('http');
const xray = require('aws-xray-sdk-core');

xray.captureHTTPsGlobal(http);

const get = (url) => new Promise((resolve, reject) => {
  http.get(url, (answer) => {
    let body = '';
    answer.on('data', (part) => { body += part; });
    answer.on('end', () => resolve({ status: answer.statusCode, body }));
  }).on('error', reject);
});

exports.handler = async (event) => {
  const url = new URL('/price', process.env.SHOP_URL);
  url.searchParams.set('item', event.item);
  if (event.shop) url.searchParams.set('mood', event.shop);

  const { status, body } = await get(url);
  if (status !== 200) throw new Error(`the shop answered ${status}`);

  const price = JSON.parse(body).cents * event.count;
  console.log(`order of ${event.count} ${event.item}: ${price} cents`);
  return { item: event.item, count: event.count, cents: price };
};
