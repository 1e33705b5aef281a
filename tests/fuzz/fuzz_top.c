/* SPDX-License-Identifier: Apache-2.0 */
/* An answer of a hostile API to every screen of tally-top. */
#include "core/client/answer.h"
#include "tui/top.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct view *const views[] = { &view_functions,
						    &view_alarms, &view_traces,
						    &view_trace, &view_map };
	struct delivery d = { 0 };
	struct cells cells;
	struct top top;
	json_t *root;

	if (answer_parse(&root, sv_make((const char *)data, size), NULL))
		return 0;
	top_init(&top, "http://h");
	d.functions = model_functions_new(root);
	d.alarms = model_alarms_new(root);
	d.traces = model_traces_new(root, SV(""));
	d.trace = waterfall_new(root, SV(""));
	d.map = map_new(root);
	json_decref(root);
	top_take(&top, &d);
	if (cells_init(&cells, 90, 30))
		return 0;
	for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++) {
		top_enter(&top, views[i]);
		top_draw(&top, &cells);
		top_leave(&top);
	}
	cells_fini(&cells);
	top_fini(&top);
	return 0;
}
