// SPDX-License-Identifier: Apache-2.0
// A small service that knows prices. Traced: its segments go by UDP to the
// daemon address in AWS_XRAY_DAEMON_ADDRESS and carry on the caller's trace.
// Prints the address it listens on, as one line.
const http = require('http');
const xray = require('aws-xray-sdk-core');

const cents = { apple: 35, pear: 40, quince: 120 };
const delays = { slow: 350, asleep: 5000 }; // ms

xray.middleware.disableCentralizedSampling();
xray.middleware.setDefaultName('shop');

const answer = (segment, url, response) => {
  const item = url.searchParams.get('item');
  segment.addAnnotation('item', String(item));
  if (url.searchParams.get('mood') === 'broken') {
    response.writeHead(500).end('out of order\n');
  } else if (!(item in cents)) {
    response.writeHead(404).end('no such item\n');
  } else {
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify({ item, cents: cents[item] }));
  }
};

const server = http.createServer((request, response) => {
  const segment = xray.middleware.traceRequestResponseCycle(request, response);
  const url = new URL(request.url, 'http://shop');
  const delay = delays[url.searchParams.get('mood')] || 2;
  setTimeout(() => answer(segment, url, response), delay);
});

server.listen(0, '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${server.address().port}`);
});
