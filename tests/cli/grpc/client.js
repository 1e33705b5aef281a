// SPDX-License-Identifier: Apache-2.0
// OpenTelemetry's own exporters over gRPC, and calls that no exporter makes.
//   client.js export ADDRESS [TOKEN]   spans, metrics and log records
//   client.js many ADDRESS COUNT       so many exports of spans at once
//   client.js call ADDRESS METHOD HEX [TOKEN]
// With TLS_CA in the environment by TLS with that CA; calls with GZIP compressed,
// with ZEROS of so many zeros. Prints a line for each:
// what, then the status; of calls also the answer in hex or what came with the
// status.
"use strict";
const fs = require("fs");
const grpc = require("@grpc/grpc-js");

const [what, address, ...rest] = process.argv.slice(2);
const credentials = process.env.TLS_CA ?
	grpc.credentials.createSsl(fs.readFileSync(process.env.TLS_CA)) :
	grpc.credentials.createInsecure();

function metadata(token) {
	const m = new grpc.Metadata();
	if (token)
		m.set("authorization", `Bearer ${token}`);
	return m;
}

function options(compression, token) {
	return {
		url: `${process.env.TLS_CA ? "https" : "http"}://${address}`,
		credentials, compression, metadata: metadata(token),
		timeoutMillis: 15000,
	};
}

// 0, or the status of gRPC.
function exported(exporter, batch) {
	return new Promise(resolve => exporter.export(batch, result => {
		resolve(result.code === 0 ? 0 :
			result.error?.code ?? result.error?.message ?? "?");
	}));
}

function spans(count, name) {
	const { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } =
		require("@opentelemetry/sdk-trace-base");
	const memory = new InMemorySpanExporter();
	const provider = new BasicTracerProvider({
		spanProcessors: [new SimpleSpanProcessor(memory)],
	});
	const api = require("@opentelemetry/api");
	const tracer = provider.getTracer("grpc.t", "1.0");
	const root = tracer.startSpan(name, { kind: api.SpanKind.SERVER });
	const context = api.trace.setSpan(api.ROOT_CONTEXT, root);
	for (let i = 1; i < count; i++) {
		const span = tracer.startSpan(`${name} ${i}`, {
			kind: api.SpanKind.CLIENT,
			attributes: { "order.id": i, text: "ä € 𝄞", list: [1, 2, 3] },
		}, context);
		if (i === 1)
			span.recordException(new Error("out of stock"));
		span.end();
	}
	root.end();
	return memory.getFinishedSpans();
}

async function exportAll(token) {
	const { OTLPTraceExporter } =
		require("@opentelemetry/exporter-trace-otlp-grpc");
	for (const kind of ["none", "gzip"]) {
		const batch = spans(4, `grpc-${kind}`);
		const exporter = new OTLPTraceExporter(options(kind, token));
		console.log("traces", kind, await exported(exporter, batch),
			batch[0].spanContext().traceId);
		await exporter.shutdown();
	}
	process.env.OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE = "delta";
	const { OTLPMetricExporter } =
		require("@opentelemetry/exporter-metrics-otlp-grpc");
	const { MeterProvider, PeriodicExportingMetricReader } =
		require("@opentelemetry/sdk-metrics");
	const metricExporter = new OTLPMetricExporter(options("gzip", token));
	const reader = new PeriodicExportingMetricReader({
		exporter: metricExporter, exportIntervalMillis: 3600000,
	});
	const meter = new MeterProvider({ readers: [reader] }).getMeter("grpc.t");
	meter.createCounter("orders").add(3, { shop: "a" });
	meter.createHistogram("latency").record(12.5);
	console.log("metrics", "gzip", await exported(metricExporter,
		(await reader.collect()).resourceMetrics));
	await metricExporter.shutdown();

	const { OTLPLogExporter } = require("@opentelemetry/exporter-logs-otlp-grpc");
	const { LoggerProvider, SimpleLogRecordProcessor, InMemoryLogRecordExporter } =
		require("@opentelemetry/sdk-logs");
	const kept = new InMemoryLogRecordExporter();
	new LoggerProvider({ processors: [new SimpleLogRecordProcessor(kept)] })
		.getLogger("grpc.t").emit({ body: "a line", severityText: "INFO" });
	const logExporter = new OTLPLogExporter(options("none", token));
	console.log("logs", "none",
		await exported(logExporter, kept.getFinishedLogRecords()));
	await logExporter.shutdown();
}

async function exportMany(count) {
	const { OTLPTraceExporter } =
		require("@opentelemetry/exporter-trace-otlp-grpc");
	const exporter = new OTLPTraceExporter({
		...options("none"), concurrencyLimit: 1000,
	});
	const results = await Promise.all(Array.from({ length: count }, (_, i) =>
		exported(exporter, spans(20, `many-${i}`))));
	console.log("many", results.filter(code => code === 0).length,
		[...new Set(results.filter(code => code !== 0))].join(" "));
	await exporter.shutdown();
}

function call(method, hex, token) {
	const client = new grpc.Client(address, credentials,
		{ "grpc.max_send_message_length": -1,
			"grpc.default_compression_algorithm":
				process.env.GZIP ? 2 : 0 });
	const bytes = Buffer.from(hex, "hex");
	const message = process.env.ZEROS ?
		Buffer.alloc(Number(process.env.ZEROS)) : bytes;
	return new Promise(resolve => client.makeUnaryRequest(method, x => x,
		x => x, message, metadata(token), { deadline: Date.now() + 15000 },
		(error, answer) => {
			if (error)
				console.log("call", error.code, error.details,
					Object.keys(error.metadata.getMap()).join(" "));
			else
				console.log("call", 0, answer.toString("hex"));
			client.close();
			resolve();
		}));
}

(async () => {
	if (what === "export")
		await exportAll(rest[0]);
	else if (what === "many")
		await exportMany(Number(rest[0]));
	else
		await call(...rest);
})();
