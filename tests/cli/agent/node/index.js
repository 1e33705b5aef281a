// SPDX-License-Identifier: Apache-2.0
const dgram = require("node:dgram");
const http = require("node:http");

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
let kept;
let calls = 0;

function sendSegment(parent) {
	const [host, port] = process.env.AWS_XRAY_DAEMON_ADDRESS.split(":");
	const trace = Object.fromEntries(process.env._X_AMZN_TRACE_ID.split(";")
		.map((pair) => pair.split("=")));
	const now = Date.now() / 1000;
	const document = { id: "1b041e37049e652c", name: "own", type: "subsegment",
		start_time: now, end_time: now, trace_id: trace.Root,
		parent_id: trace.Parent };
	const socket = dgram.createSocket("udp4");
	socket.unref();
	socket.send('{"format":"json","version":1}\n' + JSON.stringify(document),
		Number(port), host);
}

function samplingRules() {
	const [host, port] = process.env.AWS_XRAY_DAEMON_ADDRESS.split(":");
	return new Promise((resolve, reject) => {
		http.request({ host, port, method: "POST", path: "/GetSamplingRules" },
			(answer) => {
				let text = "";
				answer.on("data", (part) => text += part);
				answer.on("end", () => resolve(JSON.parse(text)));
			}).on("error", reject).end("{}");
	});
}

exports.handler = async (event, context) => {
	calls++;
	switch (event.mode) {
	case "throw":
		throw new TypeError("boom");
	case "slow":
		console.log("before");
		await pause(60000);
		break;
	case "wait":
		await pause(event.ms);
		return calls;
	case "exit":
		process.exit(3);
		break;
	case "memory":
		kept = Buffer.alloc(event.mb * 1024 * 1024, 1);
		return kept.length;
	case "big":
		return "x".repeat(6291556);
	case "child":
		require("node:child_process").spawn("sleep", ["300"],
			{ detached: true, stdio: "ignore" }).unref();
		return "left behind";
	case "log":
		console.log("line one\nline two");
		console.error("to stderr? %d", 1);
		process.stdout.write("raw bytes\n");
		return context.logStreamName;
	case "xray":
		sendSegment();
		return (await samplingRules()).SamplingRuleRecords.length;
	case "env":
		return { ...process.env };
	}
	return { statusCode: 200, body: JSON.stringify("Hello Ali from " +
		process.env.EnvironmentName) };
};

exports.callback = (event, context, callback) => {
	setTimeout(() => callback(null, "called back"), 20);
};
exports.never = (event, context, callback) => {};
exports.stream = awslambda.streamifyResponse(async (event, out) => {
	out.setContentType("text/plain");
	out.write("one ");
	if (event.mode === "throw")
		throw new Error("mid-stream");
	out.write("two");
	out.end();
});
