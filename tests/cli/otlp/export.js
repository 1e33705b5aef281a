// SPDX-License-Identifier: Apache-2.0
// Sends one trace, its log lines and its metrics with OpenTelemetry's exporters
// as they are, and prints the trace's id.
//
//   export.js URL proto|json none|gzip [TOKEN]
const api = require('@opentelemetry/api');
const { resourceFromAttributes } = require('@opentelemetry/resources');
const { BasicTracerProvider, SimpleSpanProcessor, BatchSpanProcessor } =
  require('@opentelemetry/sdk-trace-base');
const { LoggerProvider, SimpleLogRecordProcessor } = require('@opentelemetry/sdk-logs');
const { MeterProvider, PeriodicExportingMetricReader, AggregationTemporality } =
  require('@opentelemetry/sdk-metrics');
const traces = {
  proto: require('@opentelemetry/exporter-trace-otlp-proto').OTLPTraceExporter,
  json: require('@opentelemetry/exporter-trace-otlp-http').OTLPTraceExporter,
};
const { OTLPLogExporter } = require('@opentelemetry/exporter-logs-otlp-http');
const { OTLPMetricExporter } = require('@opentelemetry/exporter-metrics-otlp-proto');

const [url, encoding, compression, token] = process.argv.slice(2);
const failures = [];
api.diag.setLogger({ error: text => failures.push(text), warn: text => failures.push(text),
  info() {}, debug() {}, verbose() {} }, api.DiagLogLevel.WARN);
const headers = token ? { authorization: `Bearer ${token}` } : {};
const to = signal => ({ url: `${url}/v1/${signal}`, compression, headers,
  timeoutMillis: 5000 });
const resource = resourceFromAttributes({ 'service.name': `shop-${encoding}`,
  'service.version': '1.2', 'cloud.platform': 'aws_ecs' });
const TOO_MANY = 40;

async function sendTrace() {
  const exporter = new traces[encoding](to('traces'));
  const provider = new BasicTracerProvider({ resource,
    spanProcessors: [new BatchSpanProcessor(exporter)] });
  const tracer = provider.getTracer('e2e', '0.1');
  const root = tracer.startSpan('GET /orders/:id', { kind: api.SpanKind.SERVER,
    root: true, attributes: { 'http.request.method': 'GET', 'url.path': '/orders/1',
      'http.response.status_code': 503, tenant: 'acme', tier: 3, ratio: 0.25, vip: true,
      tags: ['a', 'b'], text: 'ünïcode "quoted" \u{1F600}' } });
  const inRoot = api.trace.setSpan(api.ROOT_CONTEXT, root);
  const call = tracer.startSpan('GetItem', { kind: api.SpanKind.CLIENT, attributes: {
    'rpc.system': 'aws-api', 'rpc.service': 'DynamoDB', 'rpc.method': 'GetItem',
    'aws.request_id': `AWS-${encoding}-${compression}`, 'aws.table_name': 'orders' } },
  inRoot);
  call.recordException(new TypeError('no such order'));
  call.setStatus({ code: api.SpanStatusCode.ERROR, message: 'failed' });
  call.end();
  for (let i = 0; i < TOO_MANY; i++)
    tracer.startSpan(`step ${i}`, { attributes: { i } }, inRoot).end();
  root.end();
  await provider.forceFlush();
  await provider.shutdown();
  return root.spanContext();
}

async function sendLog(context) {
  const provider = new LoggerProvider({ resource,
    processors: [new SimpleLogRecordProcessor(new OTLPLogExporter(to('logs')))] });
  provider.getLogger('e2e').emit({ severityNumber: 17, severityText: 'ERROR',
    body: { order: 1, why: ['none'] }, attributes: { k: 'v' },
    context: api.trace.setSpanContext(api.ROOT_CONTEXT, context) });
  await provider.forceFlush();
  await provider.shutdown();
}

async function sendMetrics() {
  const exporter = new OTLPMetricExporter({ ...to('metrics'),
    temporalityPreference: AggregationTemporality.DELTA });
  const reader = new PeriodicExportingMetricReader({ exporter,
    exportIntervalMillis: 3600e3 });
  const provider = new MeterProvider({ resource, readers: [reader] });
  const meter = provider.getMeter('e2e');
  meter.createCounter('orders', { unit: '{order}' }).add(3, { route: '/orders' });
  const latency = meter.createHistogram('latency', { unit: 'ms' });
  for (const ms of [1, 20, 300])
    latency.record(ms, { route: '/orders' });
  await provider.forceFlush();
  await provider.shutdown();
}

sendTrace().then(async context => {
  await sendLog(context);
  await sendMetrics();
  console.log(context.traceId);
  if (failures.length) {
    console.error(failures.join('\n'));
    process.exit(1);
  }
}).catch(error => {
  console.error(error);
  process.exit(1);
});
