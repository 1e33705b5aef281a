// SPDX-License-Identifier: Apache-2.0
// Where the demo's alarm is posted to. Prints the address it listens on, then
// each body that is posted, one a line.
const http = require('http');

const server = http.createServer((request, response) => {
  let body = '';
  request.on('data', (part) => { body += part; });
  request.on('end', () => {
    console.log(body.replace(/[\r\n]+/g, ' '));
    response.end('ok\n');
  });
});

server.listen(0, '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${server.address().port}/`);
});
