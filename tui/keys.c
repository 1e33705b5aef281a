/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/keys.h"

#include "tui/screen.h"

const struct key key_table[] = {
#define KEY(action, key, views, label, help) \
	{ action, key, views, label, help },
#include "tui/keys.def"
#undef KEY
};

const size_t key_count = sizeof(key_table) / sizeof(key_table[0]);

enum action keys_action(int key, unsigned view)
{
	for (size_t i = 0; i < key_count; i++)
		if (key_table[i].key == key && (key_table[i].views & view))
			return key_table[i].action;
	return ACT_NONE;
}
