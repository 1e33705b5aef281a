// SPDX-License-Identifier: Apache-2.0
// Sends one segment with subsegments by X-Ray's own SDK, and prints the trace
// id, then each document as it was put into its datagram.
const path = require('path');
const sdk = path.resolve(__dirname, '../../demo/node_modules/aws-xray-sdk-core');
const xray = require(sdk);
const emitter = require(path.join(sdk, 'dist/lib/segment_emitter'));

const send = emitter.send;
const sent = [];
emitter.send = function (segment) {
  sent.push(segment.format());
  return send.call(this, segment);
};

xray.middleware.disableCentralizedSampling();
const segment = new xray.Segment('café: orders @ 10 %');
segment.addAnnotation('customer', 'Ali');
segment.addAnnotation('count', 3);
segment.addAnnotation('first', true);
segment.addMetadata('deep', { a: [1, 2.5, -1e-7, { b: null }], text: '"\u2028\u{1F600}\t\\' });
segment.setUser('ali');
const inner = segment.addNewSubsegment('inner');
inner.addError(new Error('it broke'));
inner.close();
const remote = segment.addNewSubsegment('shop');
remote.namespace = 'remote';
remote.http = { request: { url: 'http://shop/price', method: 'GET' },
  response: { status: 404, content_length: 12 } };
remote.addErrorFlag();
remote.close();
segment.close();

setTimeout(() => {
  console.log(segment.trace_id);
  for (const document of sent) console.log(document);
}, 200);
