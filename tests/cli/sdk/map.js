// SPDX-License-Identifier: Apache-2.0
// Walks the pages of a service map with AWS's SDK for JavaScript as it is.
//
//   map.js URL START     START: epoch seconds of the minute that is asked for
const { XRayClient, paginateGetServiceGraph, GetServiceGraphCommand } =
  require('@aws-sdk/client-xray');

const [url, start] = process.argv.slice(2);
const client = new XRayClient({ endpoint: url, region: 'us-east-1',
  maxAttempts: 1, credentials: { accessKeyId: 'any', secretAccessKey: 'any' } });
const window = { StartTime: new Date(start * 1000),
  EndTime: new Date((Number(start) + 60) * 1000) };

(async () => {
  let pages = 0, services = 0, edges = 0, token;
  for await (const page of paginateGetServiceGraph({ client }, window)) {
    pages++;
    token ||= page.NextToken;
    services += page.Services.length;
    for (const s of page.Services) edges += s.Edges.length;
  }
  let error = 'no error';
  try {
    await client.send(new GetServiceGraphCommand({ ...window, NextToken: token,
      GroupName: 'failing' }));
  } catch (e) {
    error = e.name;
  }
  console.log(`${pages} pages ${services} services ${edges} edges; ${error}`);
})();
