/* SPDX-License-Identifier: Apache-2.0 */
/* tally-collector: parses arguments, builds, runs. */
#include <argp.h>
#include <stdlib.h>

#include "collector/collector.h"
#include "collector/config.h"
#include "collector/door/operations.h"
#include "collector/memory.h"
#include "core/base/log.h"

const char *argp_program_version =
	"tally-collector (Tallyscope) " TALLY_VERSION;

enum {
	KEY_DATA = 1,
	KEY_HTTP,
	KEY_XRAY,
	KEY_GRPC,
	KEY_ACCOUNT,
	KEY_REGION,
	KEY_CONFIG,
	KEY_USER,
	KEY_CONFINE,
	KEY_PRICES,
	KEY_KEYS,
	KEY_TLS_CERT,
	KEY_TLS_KEY,
	KEY_TLS_CLIENT_CA,
	KEY_OPERATIONS,
	KEY_MEMORY,
};

struct arguments {
	struct config *config;
	const char *config_path;
};

static const struct argp_option options[] = {
	{ "data", KEY_DATA, "DIR", 0, "Folder for everything it stores", 0 },
	{ "http", KEY_HTTP, "ADDR:PORT", 0,
	  "Listen here for HTTP (127.0.0.1:4318); port 0: any free one", 0 },
	{ "xray", KEY_XRAY, "ADDR:PORT", 0,
	  "Listen here, UDP and TCP, as the X-Ray daemon (127.0.0.1:2000)", 0 },
	{ "grpc", KEY_GRPC, "ADDR:PORT", 0,
	  "Listen here for OTLP over gRPC (127.0.0.1:4317); off: nowhere", 0 },
	{ "account", KEY_ACCOUNT, "DIGITS", 0,
	  "Account of what arrives without a key (123456789012)", 0 },
	{ "region", KEY_REGION, "REGION", 0,
	  "Region of what arrives without a key (us-east-1)", 0 },
	{ "prices", KEY_PRICES, "DIR", 0, "Folder of price books", 0 },
	{ "keys", KEY_KEYS, "FILE", 0,
	  "Access keys, as tally keys writes them; without any, whoever "
	  "reaches the port is admin",
	  0 },
	{ "operations", KEY_OPERATIONS, NULL, 0,
	  "Print all operations with their roles, a JSON object a line, and "
	  "exit",
	  0 },
	{ "tls-cert", KEY_TLS_CERT, "FILE", 0,
	  "Speak TLS on the HTTP port, with this certificate (PEM)", 0 },
	{ "tls-key", KEY_TLS_KEY, "FILE", 0, "Its key (PEM)", 0 },
	{ "tls-client-ca", KEY_TLS_CLIENT_CA, "FILE", 0,
	  "Clients must show a certificate that is signed by one of these", 0 },
	{ "memory", KEY_MEMORY, "SIZE", 0,
	  "Use no more memory, such as 512M (half of the machine's, or three "
	  "quarters of the control group's limit)",
	  0 },
	{ "config", KEY_CONFIG, "FILE", 0,
	  "Read settings and alarms; options given here win", 0 },
	{ "user", KEY_USER, "NAME", 0, "Become this user when started as root",
	  0 },
	{ "confine", KEY_CONFINE, "WHEN", 0,
	  "Give up files and system calls that are not needed: auto, require, "
	  "kill or off (auto)",
	  0 },
	{ 0 },
};

static void set_text(struct argp_state *state, char *field, const char *value,
		     const char *name)
{
	if (strlen(value) >= CONFIG_TEXT_MAX)
		argp_error(state, "--%s is longer than %d bytes", name,
			   CONFIG_TEXT_MAX - 1);
	memcpy(field, value, strlen(value) + 1);
}

/* The file is read first, whatever the order: options win over it. */
static error_t find_config(int key, char *value, struct argp_state *state)
{
	struct arguments *a = state->input;

	if (key == KEY_CONFIG)
		a->config_path = value;
	return 0;
}

static void print_operations(void)
{
	struct buf out = { 0 };

	operations_write(&out);
	fwrite(out.ptr, 1, out.len, stdout);
	buf_fini(&out);
	exit(fflush(stdout) ? 1 : 0);
}

static error_t parse(int key, char *value, struct argp_state *state)
{
	struct arguments *a = state->input;
	struct diag diag = { 0 };

	switch (key) {
	case KEY_DATA:
		set_text(state, a->config->data, value, "data");
		break;
	case KEY_HTTP:
		set_text(state, a->config->http, value, "http");
		break;
	case KEY_XRAY:
		set_text(state, a->config->xray, value, "xray");
		break;
	case KEY_GRPC:
		set_text(state, a->config->grpc, value, "grpc");
		break;
	case KEY_PRICES:
		set_text(state, a->config->prices, value, "prices");
		break;
	case KEY_OPERATIONS:
		print_operations();
		break;
	case KEY_TLS_CERT:
		set_text(state, a->config->tls_cert, value, "tls-cert");
		break;
	case KEY_TLS_KEY:
		set_text(state, a->config->tls_key, value, "tls-key");
		break;
	case KEY_TLS_CLIENT_CA:
		set_text(state, a->config->tls_client_ca, value,
			 "tls-client-ca");
		break;
	case KEY_KEYS:
		set_text(state, a->config->keys, value, "keys");
		break;
	case KEY_ACCOUNT:
		if (config_set_account(a->config, sv_from(value), &diag))
			argp_error(state, "%s", diag.text);
		break;
	case KEY_REGION:
		if (config_set_region(a->config, sv_from(value), &diag))
			argp_error(state, "%s", diag.text);
		break;
	case KEY_USER:
		set_text(state, a->config->user, value, "user");
		break;
	case KEY_CONFINE:
		if (config_set_confine(a->config, sv_from(value), &diag))
			argp_error(state, "%s", diag.text);
		break;
	case KEY_MEMORY:
		if (memory_parse(sv_from(value), &a->config->memory_max_bytes,
				 &diag))
			argp_error(state, "%s", diag.text);
		break;
	case KEY_CONFIG:
		break;
	case ARGP_KEY_ARG:
		argp_error(state, "'%s' is not expected", value);
		break;
	case ARGP_KEY_END:
		if (!a->config->data[0])
			argp_error(state, "--data DIR is required");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

int main(int argc, char **argv)
{
	static const char doc[] =
		"Receives traces, metrics, logs and usage, stores them, and "
		"answers for them.\vStops cleanly on SIGTERM and SIGINT, reads "
		"its configuration again on SIGHUP. See tally-collector(8).";
	const struct argp first = { options, find_config, NULL, doc,
				    NULL,    NULL,        NULL };
	const struct argp second = {
		options, parse, NULL, doc, NULL, NULL, NULL
	};
	struct config config;
	struct arguments arguments = { .config = &config };
	struct collector *collector;
	struct diag diag = { 0 };
	int e = 0;

	argp_err_exit_status = 2;
	config_init(&config);
	argp_parse(&first, argc, argv, 0, NULL, &arguments);
	if (arguments.config_path)
		e = config_read(&config, env_posix(), arguments.config_path,
				&diag);
	if (!e) {
		argp_parse(&second, argc, argv, 0, NULL, &arguments);
		e = collector_open(&collector, env_posix(), &config, &diag);
	}
	if (e) {
		fprintf(stderr, "tally-collector: %s\n",
			diag.text[0] ? diag.text : err_text(e));
		config_fini(&config);
		if (e == ERR_CLOSED)
			return 0; /* as it was told */
		return e == ERR_INVALID || e == ERR_SYNTAX ? 2 : 1;
	}
	e = collector_run(collector, arguments.config_path);
	collector_close(collector);
	config_fini(&config);
	return e ? 1 : 0;
}
