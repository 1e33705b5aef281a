/* SPDX-License-Identifier: Apache-2.0 */
/* Any text between tags, in an attribute, and as a link: no markup comes of it,
 * and a parser has the text back. */
#include "core/codec/html_write.h"
#include "tests/unit/core/encoded.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct sv html, struct sv want, bool attribute)
{
	struct buf read = BUF_INIT;

	assert(html_read(&read, html, attribute));
	assert(sv_eq(buf_view(&read), want));
	buf_fini(&read);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sv text = sv_make((const char *)data, size), html;
	struct buf out = BUF_INIT, want = BUF_INIT;

	encoded_clean(&want, text, false);
	html_put_sv(&out, text);
	check(buf_view(&out), buf_view(&want), false);
	buf_reset(&out);
	html_put_attribute(&out, "id", text);
	html = buf_view(&out);
	assert(sv_starts(html, SV(" id=\"")) && sv_ends(html, SV("\"")));
	check(sv_make(html.ptr + 5, html.len - 6), buf_view(&want), true);
	buf_reset(&out);
	if (html_put_link(&out, text))
		assert(memchr("/#hHmM", text.ptr[0], 6));
	else
		assert(!out.len);
	buf_fini(&out);
	buf_fini(&want);
	return 0;
}
