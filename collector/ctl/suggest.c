/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/ctl/suggest.h"

#include <string.h>

static int least(int a, int b)
{
	return a < b ? a : b;
}

int suggest_distance(const char *a, const char *b)
{
	int d[SUGGEST_MAX + 1][SUGGEST_MAX + 1];
	size_t n = strlen(a), m = strlen(b);

	if (n > SUGGEST_MAX || m > SUGGEST_MAX)
		return -1;
	for (size_t i = 0; i <= n; i++)
		d[i][0] = (int)i;
	for (size_t j = 0; j <= m; j++)
		d[0][j] = (int)j;
	for (size_t i = 1; i <= n; i++)
		for (size_t j = 1; j <= m; j++) {
			int same = a[i - 1] == b[j - 1] ? 0 : 1;

			d[i][j] = least(least(d[i - 1][j], d[i][j - 1]) + 1,
					d[i - 1][j - 1] + same);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
		}
	return d[n][m];
}

bool suggest_is_near(const char *typed, const char *meant)
{
	int slips = suggest_distance(typed, meant);
	size_t n = strlen(typed);

	if (n >= 2 && !strncmp(typed, meant, n))
		return true;
	return slips >= 0 && slips <= (strlen(meant) < 5 ? 1 : 2);
}
