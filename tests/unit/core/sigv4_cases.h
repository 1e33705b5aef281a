/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What AWS's public signing test suite says (awslabs/aws-c-auth 495329c,
 * tests/aws-signing-test-suite/v4): 38 requests and the signature of each, once
 * in a header and once in the query. All are of 20150830T123600Z, for
 * us-east-1 and "service", with a Host of example.amazonaws.com; queries are
 * good for an hour. The key is the one of the recordings (recording.h).
 */
#ifndef TALLY_TESTS_SIGV4_CASES_H
#define TALLY_TESTS_SIGV4_CASES_H

enum {
	CASE_RAW_PATH = 1,    /* the path is signed as it is */
	CASE_BODY_HASH = 2,   /* with X-Amz-Content-Sha256 in the header form */
	CASE_TOKEN_LATER = 4, /* the token is added after signing */
	CASE_HEADERS_MAX = 4,
};

#define CASE_TIME "20150830T123600Z"
#define CASE_SCOPE "20150830/us-east-1/service/aws4_request"
#define CASE_BODY_SHA256 \
	"9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e"
#define CASE_NOW 1440938160

#define HEX_TOKEN \
	"6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267"
#define STS_TOKEN                                                          \
	"AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTw" \
	"dQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi" \
	"/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5V" \
	"SXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPk" \
	"UL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabI" \
	"Qwj2ICCR/oLxBA=="

static const struct sigv4_case {
	const char *name, *method, *path, *query;
	struct {
		const char *name, *value;
	} headers[CASE_HEADERS_MAX]; /* besides Host */
	const char *body, *token;    /* NULL: none */
	unsigned flags;
	const char *by_header, *by_query;
} sigv4_cases[] = {
	{ .name = "get-header-key-duplicate",
	  .method = "GET",
	  .path = "/",
	  .query = "",
	  .headers = { { "My-Header1", "value2" },
		       { "My-Header1", "value2" },
		       { "My-Header1", "value1" } },
	  .by_header = "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f8582595"
		       "31a5138ea",
	  .by_query = "3349ee0b81b4b589da0ff28a395c3591e04de515651dd74f298fa992"
		      "d1507a97" },
	{ .name = "get-header-value-multiline",
	  .method = "GET",
	  .path = "/",
	  .query = "",
	  .headers = { { "My-Header1", "value1\n  value2\n     value3" } },
	  .by_header = "cfd34249e4b1c8d6b91ef74165d41a32e5fab3306300901bb65a51a"
		       "73575eefd",
	  .by_query = "e6f5def831211aca02987a44b96826706278c7bc078112ae0263659c"
		      "5b2f2d56" },
	{ .name = "get-header-value-order",
	  .method = "GET",
	  .path = "/",
	  .query = "",
	  .headers = { { "My-Header1", "value4" },
		       { "My-Header1", "value1" },
		       { "My-Header1", "value3" },
		       { "My-Header1", "value2" } },
	  .by_header = "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f8"
		       "30c755c01",
	  .by_query = "313720e71ca6202fdcfa9b20f88de01a4eb0638a83c833b1c184359a"
		      "4eda864e" },
	{ .name = "get-header-value-trim",
	  .method = "GET",
	  .path = "/",
	  .query = "",
	  .headers = { { "My-Header1", " value1" },
		       { "My-Header2", " \"a   b   c\"" } },
	  .by_header = "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359"
		       "757a9c736",
	  .by_query = "e7bb0fd515e125e1aec2ecc4c0c17484fb06f6846b927c35e46005dd"
		      "3df3acd4" },
	{ .name = "get-relative-normalized",
	  .method = "GET",
	  .path = "/example/..",
	  .query = "",
	  .by_header = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1"
		       "d763fbf31",
	  .by_query = "e93c787ed7f371d5c6b165c1b38ede9550f4dce4144713e844b25b71"
		      "92d3865d" },
	{ .name = "get-relative-relative-normalized",
	  .method = "GET",
	  .path = "/example1/example2/../..",
	  .query = "",
	  .by_header = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1"
		       "d763fbf31",
	  .by_query = "e93c787ed7f371d5c6b165c1b38ede9550f4dce4144713e844b25b71"
		      "92d3865d" },
	{ .name = "get-relative-relative-unnormalized",
	  .method = "GET",
	  .path = "/example1/example2/../..",
	  .query = "",
	  .flags = CASE_RAW_PATH,
	  .by_header = "dc33e0856fd4baca4d7aa2146c38958283844764f38c74252a333df"
		       "5e613003b",
	  .by_query = "b45db0bfd1cf15003493b733e33aa208dd981bd0e63037a6ed953f71"
		      "d2118a16" },
	{ .name = "get-relative-unnormalized",
	  .method = "GET",
	  .path = "/example/..",
	  .query = "",
	  .flags = CASE_RAW_PATH,
	  .by_header = "eca7ead57bb5aa5c8e28007acd4ff04e1ff9a0ff3b237ec1554a184"
		       "887ff9282",
	  .by_query = "cbcb213b928a077e43275df47b500f1dfaa864ab3f5a18f6b95f4ff0"
		      "938167ee" },
	{ .name = "get-slash-dot-slash-normalized",
	  .method = "GET",
	  .path = "/./",
	  .query = "",
	  .by_header = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1"
		       "d763fbf31",
	  .by_query = "e93c787ed7f371d5c6b165c1b38ede9550f4dce4144713e844b25b71"
		      "92d3865d" },
	{ .name = "get-slash-dot-slash-unnormalized",
	  .method = "GET",
	  .path = "/./",
	  .query = "",
	  .flags = CASE_RAW_PATH,
	  .by_header = "68714168e6557f8f2de0ef956fc24dc2593a4bd2961f8df51898d8a"
		       "134695145",
	  .by_query = "a9b13e8f3484d9505bf1a6f347219f8f35b0fe8f128ceea597efc146"
		      "a3dfe90c" },
	{ .name = "get-slash-normalized",
	  .method = "GET",
	  .path = "//",
	  .query = "",
	  .by_header = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1"
		       "d763fbf31",
	  .by_query = "e93c787ed7f371d5c6b165c1b38ede9550f4dce4144713e844b25b71"
		      "92d3865d" },
	{ .name = "get-slash-pointless-dot-normalized",
	  .method = "GET",
	  .path = "/./example",
	  .query = "",
	  .by_header = "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db708"
		       "9db637ec5",
	  .by_query = "35034b1a0bdd969f346975386daf8aedfd4976573b8348cf4f67eaa4"
		      "1c5857de" },
	{ .name = "get-slash-pointless-dot-unnormalized",
	  .method = "GET",
	  .path = "/./example",
	  .query = "",
	  .flags = CASE_RAW_PATH,
	  .by_header = "beb03f223f7deae4146464f06e29eebbee9c8afbe15c290cf07aa8b"
		       "119e14cff",
	  .by_query = "72b11f16d9530b18204bfb71f2d6ab085894c0ed8d352730a6e76234"
		      "c58b5e10" },
	{ .name = "get-slash-unnormalized",
	  .method = "GET",
	  .path = "//",
	  .query = "",
	  .flags = CASE_RAW_PATH,
	  .by_header = "c88bcd3d312d75078c0cd961d6deae3f4c754924b01669efcfcb439"
		       "fd5e5b76e",
	  .by_query = "b2a9542809db687769200f56a844a03f2bd0291d6eb90232d5101c6a"
		      "579446cd" },
	{ .name = "get-slashes-normalized",
	  .method = "GET",
	  .path = "//example//",
	  .query = "",
	  .by_header = "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570"
		       "885f57e84",
	  .by_query = "c1834e8fb0307243711f0f907f6ab7311ed300d87f13792d7ee4da89"
		      "ab93e082" },
	{ .name = "get-slashes-unnormalized",
	  .method = "GET",
	  .path = "//example//",
	  .query = "",
	  .flags = CASE_RAW_PATH,
	  .by_header = "87cca117541a147f6df867677d98a7d80dff226d2bfca9e4ffa8996"
		       "65623c7e5",
	  .by_query = "822a5a9ba28072c5ab2bb4a6307d0c88276d40e49fec6b724c03fb4d"
		      "4ba60fc2" },
	{ .name = "get-space-normalized",
	  .method = "GET",
	  .path = "/example space/",
	  .query = "",
	  .by_header = "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39dd"
		       "ec1366741",
	  .by_query = "7a1f416954786484c9824d93c1f26ef64acb9b1b6c9154d08c9f07d0"
		      "e394abf6" },
	{ .name = "get-space-unnormalized",
	  .method = "GET",
	  .path = "/example space/",
	  .query = "",
	  .flags = CASE_RAW_PATH,
	  .by_header = "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39dd"
		       "ec1366741",
	  .by_query = "7a1f416954786484c9824d93c1f26ef64acb9b1b6c9154d08c9f07d0"
		      "e394abf6" },
	{ .name = "get-unreserved",
	  .method = "GET",
	  .path = "/-._~"
		  "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwx"
		  "yz",
	  .query = "",
	  .by_header = "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a6"
		       "5bbf5f24f",
	  .by_query = "95968482db1b9e0fadef6efc1bd24689f77c77d9ef56919c96a28cc9"
		      "2e0d6005" },
	{ .name = "get-utf8",
	  .method = "GET",
	  .path = "/\341\210\264",
	  .query = "",
	  .by_header = "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03"
		       "141be5d85",
	  .by_query = "10eae3f14a260bd3911cc6d008d3c576d143b05b62f09782a7a4b37f"
		      "52178e44" },
	{ .name = "get-vanilla-empty-query-key",
	  .method = "GET",
	  .path = "/",
	  .query = "Param1=value1",
	  .by_header = "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec7"
		       "2011b9aeb",
	  .by_query = "49096700cbbaa5753443850f40df10f904fc2fdb544dc9512203cc77"
		      "c471a9de" },
	{ .name = "get-vanilla-query-order-encoded",
	  .method = "GET",
	  .path = "/",
	  .query = "Param-3=Value3&Param=Value2&%E1%88%B4=Value1",
	  .by_header = "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e5"
		       "95648fcac",
	  .by_query = "c5f1848ceec943ac2ca68ee720460c23aaae30a2300586597ada94c4"
		      "a65e4787" },
	{ .name = "get-vanilla-query-order-key-case",
	  .method = "GET",
	  .path = "/",
	  .query = "Param2=value2&Param1=value1",
	  .by_header = "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec"
		       "94cdf2500",
	  .by_query = "86012e2c9ad4d77369f5d81c11f75158aae4f895a085212cc6d3f923"
		      "d300bed5" },
	{ .name = "get-vanilla-query-unreserved",
	  .method = "GET",
	  .path = "/",
	  .query = "-._~"
		   "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvw"
		   "xyz=-._~"
		   "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvw"
		   "xyz",
	  .by_header = "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb"
		       "143a40197",
	  .by_query = "8e76a88a7433637b12778d5592799b29ad21ecd6cf6325051c21d86f"
		      "0acda2bf" },
	{ .name = "get-vanilla-query",
	  .method = "GET",
	  .path = "/",
	  .query = "",
	  .by_header = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1"
		       "d763fbf31",
	  .by_query = "e93c787ed7f371d5c6b165c1b38ede9550f4dce4144713e844b25b71"
		      "92d3865d" },
	{ .name = "get-vanilla-utf8-query",
	  .method = "GET",
	  .path = "/",
	  .query = "\341\210\264=bar",
	  .by_header = "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c90"
		       "27818dd04",
	  .by_query = "0bdd809b1519ac4f0c1dc3540e2cc46bd0c7f778eda408b2ebf3b913"
		      "d21ff600" },
	{ .name = "get-vanilla-with-session-token",
	  .method = "GET",
	  .path = "/",
	  .query = "",
	  .token = HEX_TOKEN,
	  .by_header = "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66d"
		       "d9f74e7f8",
	  .by_query = "7ff2b50b376cb4d151970630573d6291dc128cc5c2a12ffb237f73cc"
		      "53f67b6c" },
	{ .name = "get-vanilla",
	  .method = "GET",
	  .path = "/",
	  .query = "",
	  .by_header = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1"
		       "d763fbf31",
	  .by_query = "e93c787ed7f371d5c6b165c1b38ede9550f4dce4144713e844b25b71"
		      "92d3865d" },
	{ .name = "post-header-key-case",
	  .method = "POST",
	  .path = "/",
	  .query = "",
	  .by_header = "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e9"
		       "2efbe5d6b",
	  .by_query = "2ce6e6d2e0cf2f9d1b55fafec88cd20574c31dc2e7631979f71ba231"
		      "0083e95b" },
	{ .name = "post-header-key-sort",
	  .method = "POST",
	  .path = "/",
	  .query = "",
	  .headers = { { "My-Header1", "value1" } },
	  .by_header = "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916"
		       "fdf18852c",
	  .by_query = "c09d07e0d55871f10f2a6d350d994acf6825a3cae70673d7def55616"
		      "e6119dd7" },
	{ .name = "post-header-value-case",
	  .method = "POST",
	  .path = "/",
	  .query = "",
	  .headers = { { "My-Header1", "VALUE1" } },
	  .by_header = "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa"
		       "58b974b7d",
	  .by_query = "0698bc9e4f7f9139065ba2909c0e99da257e8e2a42492a097bcd46d7"
		      "92391fed" },
	{ .name = "post-sts-header-after",
	  .method = "POST",
	  .path = "/",
	  .query = "",
	  .token = STS_TOKEN,
	  .flags = CASE_TOKEN_LATER,
	  .by_header = "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e9"
		       "2efbe5d6b",
	  .by_query = "2ce6e6d2e0cf2f9d1b55fafec88cd20574c31dc2e7631979f71ba231"
		      "0083e95b" },
	{ .name = "post-sts-header-before",
	  .method = "POST",
	  .path = "/",
	  .query = "",
	  .token = STS_TOKEN,
	  .by_header = "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a"
		       "82be05ead",
	  .by_query = "46c2e3c63c1dbe7d39f8ada16fe7f001c1f56c5791441565323677f9"
		      "6308871c" },
	{ .name = "post-vanilla-empty-query-value",
	  .method = "POST",
	  .path = "/",
	  .query = "Param1=value1",
	  .by_header = "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d"
		       "138af7f11",
	  .by_query = "a9ef26247f293bffe40eeff86a0480ba8c14d31503b2e0c3399e3a16"
		      "bf1a3682" },
	{ .name = "post-vanilla-query",
	  .method = "POST",
	  .path = "/",
	  .query = "Param1=value1",
	  .by_header = "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d"
		       "138af7f11",
	  .by_query = "a9ef26247f293bffe40eeff86a0480ba8c14d31503b2e0c3399e3a16"
		      "bf1a3682" },
	{ .name = "post-vanilla",
	  .method = "POST",
	  .path = "/",
	  .query = "",
	  .by_header = "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e9"
		       "2efbe5d6b",
	  .by_query = "2ce6e6d2e0cf2f9d1b55fafec88cd20574c31dc2e7631979f71ba231"
		      "0083e95b" },
	{ .name = "post-x-www-form-urlencoded-parameters",
	  .method = "POST",
	  .path = "/",
	  .query = "",
	  .headers = { { "Content-Type",
			 "application/x-www-form-urlencoded; charset=utf-8" },
		       { "Content-Length", "13" } },
	  .body = "Param1=value1",
	  .flags = CASE_BODY_HASH,
	  .by_header = "328d1b9eaadca9f5818ef05e8392801e091653bafec24fcab71e734"
		       "4e7f51422",
	  .by_query = "0dbeb9b026c7b6675f266b8427efec9b4fa8b1f6ef1477d717aea231"
		      "106eab4d" },
	{ .name = "post-x-www-form-urlencoded",
	  .method = "POST",
	  .path = "/",
	  .query = "",
	  .headers = { { "Content-Type", "application/x-www-form-urlencoded" },
		       { "Content-Length", "13" } },
	  .body = "Param1=value1",
	  .flags = CASE_BODY_HASH,
	  .by_header = "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e5"
		       "6c3f20e0b",
	  .by_query = "89a40deed0f26f9461242825a082d2222717248abc7ab41f552ad84a"
		      "94ad46e9" },
};

enum { SIGV4_CASES = sizeof(sigv4_cases) / sizeof(sigv4_cases[0]) };

#endif
