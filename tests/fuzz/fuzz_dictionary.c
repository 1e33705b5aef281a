/* SPDX-License-Identifier: Apache-2.0 */
/* A dictionary's image with a row of 32 bytes before it. */
#include <stdlib.h>

#include "tracer/shape/shape.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t id[] = "0123456789abcdef";
	struct sv image = { (const char *)data + 32, size - 32 };
	struct buf out = { .limit = 8 << 20 };
	enum document_format format;
	struct shapes *s;

	if (size < 32 || shapes_open(&s, image))
		return 0;
	for (size_t n = 0; n <= 32; n++)
		(void)!shape_unpack(s, sv_make((const char *)data, n), id,
				    &format, &out);
	shapes_free(s);
	buf_fini(&out);
	return 0;
}
