// SPDX-License-Identifier: Apache-2.0
// Runs a Node.js handler: asks the Lambda Runtime API for invocations, calls
// the handler, posts what it returns. Needs nothing but Node.js 16 or newer.
//
// Handlers: async, returning a promise, or with a callback; in CommonJS or ES
// modules; streaming ones with awslambda.streamifyResponse.
import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import util from "node:util";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const CAUSE_BYTES_MAX = 128 * 1024;
const [apiHost, apiPort] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const root = process.env.LAMBDA_TASK_ROOT;
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
// Kept before the handler's modules load: tracers replace it (the X-Ray SDK's
// captureHTTPsGlobal), and the runtime's own calls are not the handler's.
const httpRequest = http.request;
const logFd = Number(process.env._LAMBDA_TELEMETRY_LOG_FD ?? NaN);
delete process.env._LAMBDA_TELEMETRY_LOG_FD;

let requestId = undefined;

// --- log lines: ISO TAB request TAB LEVEL TAB message ---------------------------
// A frame keeps line ends in its message; its header is type, length, time.
function writeLog(level, type, message) {
	const now = new Date();
	const text = `${now.toISOString()}\t${requestId ?? "undefined"}\t` +
		`${level}\t${message}`;
	if (!Number.isInteger(logFd)) {
		writeAll(1, Buffer.from(text.replace(/\n/g, "\r") + "\n"));
		return;
	}
	const body = Buffer.from(text + "\n");
	const head = Buffer.alloc(16);
	head.writeUInt32BE((0xa55a0003 | type) >>> 0, 0);
	head.writeUInt32BE(body.length, 4);
	head.writeBigUInt64BE(BigInt(now.getTime()) * 1000n, 8);
	writeAll(logFd, Buffer.concat([head, body]));
}

function writeAll(fd, bytes) {
	for (let done = 0; done < bytes.length;) {
		try {
			done += fs.writeSync(fd, bytes, done);
		} catch (e) {
			if (e.code !== "EAGAIN")
				return;
		}
	}
}

const levels = {
	trace: ["TRACE", 4], debug: ["DEBUG", 8], log: ["INFO", 12],
	info: ["INFO", 12], warn: ["WARN", 16], error: ["ERROR", 20],
	fatal: ["FATAL", 24],
};
for (const [name, [level, type]] of Object.entries(levels))
	console[name] = (...args) => writeLog(level, type, util.format(...args));

// --- errors -------------------------------------------------------------------
function describe(error) {
	if (error instanceof Error || util.types.isNativeError(error))
		return {
			errorType: String(error.name ?? "Error"),
			errorMessage: String(error.message ?? ""),
			trace: String(error.stack ?? "").split("\n"),
		};
	return {
		errorType: typeof error,
		errorMessage: typeof error === "string" ? error :
			util.inspect(error),
		trace: [],
	};
}

// X-Ray's form: frames of the stack as path, line, label.
function cause(described) {
	const stack = [];
	const paths = new Set();
	for (const line of described.trace) {
		const m = /^\s*at (?:(.*) \()?(?:file:\/\/)?([^()]*?):(\d+):\d+\)?$/
			.exec(line);
		if (!m)
			continue;
		stack.push({ path: m[2], line: Number(m[3]),
			label: m[1] ?? "anonymous" });
		paths.add(m[2]);
	}
	const exceptions = [{ type: described.errorType,
		message: described.errorMessage, stack }];
	const text = JSON.stringify({ working_directory: process.cwd(),
		exceptions, paths: [...paths] })
		// A header holds Latin-1 only; JSON can say the rest in ASCII.
		.replace(/[\u007f-\uffff]/g, (c) =>
			"\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"));
	return text.length <= CAUSE_BYTES_MAX ? text : undefined;
}

function logError(title, described) {
	writeLog("ERROR", 20, `${title}\t` + JSON.stringify({
		errorType: described.errorType,
		errorMessage: described.errorMessage,
		stack: described.trace,
	}));
}

// --- the Runtime API -------------------------------------------------------------
function call(method, where, headers, body) {
	return new Promise((resolve, reject) => {
		const request = httpRequest({ host: apiHost, port: apiPort, agent,
			method, path: `/2018-06-01/runtime/${where}`, headers },
		(response) => {
			const parts = [];
			response.on("data", (part) => parts.push(part));
			response.on("error", reject);
			response.on("end", () => resolve({
				status: response.statusCode,
				headers: response.headers,
				body: Buffer.concat(parts),
			}));
		});
		request.on("error", reject);
		request.setTimeout(0);
		request.end(body);
	});
}

function post(where, headers, body) {
	return call("POST", where, { "Content-Type": "application/json",
		"Content-Length": Buffer.byteLength(body), ...headers }, body);
}

function postError(where, described, type) {
	const headers = {};
	const text = cause(described);
	if (type)
		headers["Lambda-Runtime-Function-Error-Type"] = type;
	if (text)
		headers["Lambda-Runtime-Function-XRay-Error-Cause"] = text;
	return post(where, headers, JSON.stringify(described));
}

// --- streaming -------------------------------------------------------------------
const STREAMING = Symbol.for("tallyscope.streaming");
globalThis.awslambda = {
	streamifyResponse(handler) {
		handler[STREAMING] = true;
		return handler;
	},
	HttpResponseStream: {
		from(stream, prelude) {
			stream.setContentType(
				"application/vnd.awslambda.http-integration-response");
			stream.onBeforeFirstWrite = (write) => {
				write(JSON.stringify(prelude));
				write(Buffer.alloc(8));
			};
			return stream;
		},
	},
};

function openStream(id) {
	let finished;
	const done = new Promise((resolve, reject) => {
		finished = { resolve, reject };
	});
	const request = httpRequest({ host: apiHost, port: apiPort, agent,
		method: "POST", path: `/2018-06-01/runtime/invocation/${id}/response`,
		headers: {
			"Lambda-Runtime-Function-Response-Mode": "streaming",
			Trailer: ["Lambda-Runtime-Function-Error-Type",
				"Lambda-Runtime-Function-Error-Body"],
			"Content-Type": "application/octet-stream",
			"Transfer-Encoding": "chunked",
		},
	}, (response) => {
		response.resume();
		response.on("end", finished.resolve);
	});
	request.on("error", finished.reject);
	request.setContentType = (type) =>
		request.setHeader("Content-Type", type);
	const write = request.write.bind(request);
	const end = request.end.bind(request);
	const begin = () => {
		const first = request.onBeforeFirstWrite;
		request.onBeforeFirstWrite = undefined;
		first?.(write);
	};
	const bytes = (part) => typeof part === "string" ||
		part instanceof Uint8Array ? part : JSON.stringify(part);
	request.write = (part, ...rest) => {
		begin();
		return write(bytes(part), ...rest);
	};
	request.end = (part, ...rest) => {
		begin();
		return part === undefined || typeof part === "function" ?
			end(part, ...rest) : end(bytes(part), ...rest);
	};
	return { request, done };
}

async function runStreaming(handler, id, event, context) {
	const { request, done } = openStream(id);
	try {
		await handler(event, request, context);
		if (!request.writableEnded)
			request.end();
	} catch (error) {
		const described = describe(error);
		logError("Invoke Error ", described);
		request.addTrailers({
			"Lambda-Runtime-Function-Error-Type": described.errorType,
			"Lambda-Runtime-Function-Error-Body":
				Buffer.from(JSON.stringify(described))
					.toString("base64"),
		});
		request.end();
	}
	await done;
}

// --- the handler -------------------------------------------------------------------
function failure(type, message) {
	const error = new Error(message);
	error.name = type;
	return error;
}

function isModule(file) {
	if (file.endsWith(".mjs"))
		return true;
	if (file.endsWith(".cjs"))
		return false;
	for (let dir = path.dirname(file); ; dir = path.dirname(dir)) {
		try {
			const text = fs.readFileSync(path.join(dir, "package.json"));
			return JSON.parse(text).type === "module";
		} catch {
			if (dir === path.dirname(dir))
				return false;
		}
	}
}

async function load() {
	const full = process.env._HANDLER;
	const slash = full.lastIndexOf("/") + 1;
	const dot = full.indexOf(".", slash);
	if (dot < 0)
		throw failure("Runtime.MalformedHandlerName",
			`Bad handler: ${full} is not FILE.FUNCTION`);
	const base = path.resolve(root, full.slice(0, dot));
	const file = ["", ".js", ".mjs", ".cjs"].map((end) => base + end)
		.find((f) => fs.statSync(f, { throwIfNoEntry: false })?.isFile());
	if (!file)
		throw failure("Runtime.ImportModuleError",
			`Error: Cannot find module '${full.slice(0, dot)}'`);
	const loaded = isModule(file) ? await import(pathToFileURL(file)) :
		createRequire(file)(file);
	const names = full.slice(dot + 1).split(".");
	let handler = loaded;
	for (const name of names)
		handler = handler?.[name];
	if (typeof handler !== "function")
		throw failure("Runtime.HandlerNotFound",
			`${full} is undefined or not exported`);
	return handler;
}

// The result of a handler as a promise. With a callback the answer waits for
// the event loop to be empty, unless the context says otherwise. When nothing
// is left to happen and there is no answer, Lambda answers null.
function run(handler, event, context) {
	return new Promise((resolve, reject) => {
		let outcome;
		const finish = () => {
			process.removeListener("beforeExit", finish);
			if (outcome && outcome.error != null)
				reject(outcome.error);
			else
				resolve(outcome ? outcome.value : null);
		};
		const settle = (error, value) => {
			if (outcome)
				return;
			outcome = { error, value };
			if (!context.callbackWaitsForEmptyEventLoop)
				finish();
		};
		const at_once = (error, value) => {
			outcome ??= { error, value };
			finish();
		};
		process.on("beforeExit", finish);
		context.succeed = (value) => settle(null, value);
		context.fail = (error) => settle(error ?? "handled");
		context.done = settle;
		try {
			const result = handler(event, context, settle);
			if (typeof result?.then === "function")
				result.then((value) => at_once(null, value),
					(error) => at_once(error ?? "undefined"));
		} catch (error) {
			at_once(error ?? "undefined");
		}
	});
}

function makeContext(headers) {
	const deadline = Number(headers["lambda-runtime-deadline-ms"]);
	const parse = (text) => text === undefined ? undefined : JSON.parse(text);
	return {
		callbackWaitsForEmptyEventLoop: true,
		functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
		functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
		memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
		logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
		logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
		invokedFunctionArn:
			headers["lambda-runtime-invoked-function-arn"],
		awsRequestId: headers["lambda-runtime-aws-request-id"],
		clientContext: parse(headers["lambda-runtime-client-context"]),
		identity: parse(headers["lambda-runtime-cognito-identity"]),
		getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
	};
}

async function serve(handler) {
	const next = await call("GET", "invocation/next", {});
	if (next.status !== 200)
		throw new Error(`invocation/next answered ${next.status}`);
	const context = makeContext(next.headers);
	requestId = context.awsRequestId;
	const trace = next.headers["lambda-runtime-trace-id"];
	if (trace)
		process.env._X_AMZN_TRACE_ID = trace;
	else
		delete process.env._X_AMZN_TRACE_ID;
	const where = `invocation/${requestId}`;
	const event = JSON.parse(next.body.toString());
	if (handler[STREAMING])
		return runStreaming(handler, requestId, event, context);
	let body;
	try {
		body = JSON.stringify(await run(handler, event, context)) ?? "null";
	} catch (error) {
		const described = describe(error);
		logError("Invoke Error ", described);
		return postError(`${where}/error`, described);
	}
	return post(`${where}/response`, {}, body);
}

// What nobody catches ends the process; the invocation fails with it.
for (const name of ["uncaughtException", "unhandledRejection"])
	process.on(name, async (error) => {
		const described = describe(error);
		if (name === "unhandledRejection") {
			described.errorMessage = `${described.errorType}: ` +
				described.errorMessage;
			described.errorType = "Runtime.UnhandledPromiseRejection";
		}
		logError(name === "uncaughtException" ? "Uncaught Exception " :
			"Unhandled Promise Rejection ", described);
		if (requestId)
			await postError(`invocation/${requestId}/error`, described)
				.catch(() => {});
		process.exit(128 + 1);
	});

let handler;
try {
	handler = await load();
} catch (error) {
	const described = describe(error);
	if (!described.errorType.startsWith("Runtime."))
		described.errorType = error instanceof SyntaxError ?
			"Runtime.UserCodeSyntaxError" : described.errorType;
	logError("Uncaught Exception ", described);
	await postError("init/error", described, described.errorType);
	process.exit(1);
}
for (;;)
	await serve(handler);
