/* SPDX-License-Identifier: Apache-2.0 */
#include "core/client/place.h"

#include <curl/curl.h>

static bool has_part(CURLU *url, CURLUPart part)
{
	char *text = NULL;
	bool has = curl_url_get(url, part, &text, 0) == CURLUE_OK;

	curl_free(text);
	return has;
}

bool place_is_graphic(const char *text)
{
	for (; *text; text++)
		if (*text <= ' ' || *text > '~')
			return false;
	return true;
}

struct place place_of(const char *text)
{
	static const CURLUPart none[] = { CURLUPART_QUERY, CURLUPART_FRAGMENT,
					  CURLUPART_USER, CURLUPART_PASSWORD };
	struct place p = { false, false, false };
	CURLU *url = curl_url();
	char *scheme = NULL, *host = NULL;

	if (url && place_is_graphic(text) &&
	    !curl_url_set(url, CURLUPART_URL, text, 0) &&
	    !curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) &&
	    !curl_url_get(url, CURLUPART_HOST, &host, 0)) {
		p.secure = !strcmp(scheme, "https");
		p.valid = p.secure || !strcmp(scheme, "http");
		p.loopback = !strcmp(host, "localhost") ||
			     (!strncmp(host, "127.", 4) &&
			      !host[strspn(host, "0123456789.")]) ||
			     !strcmp(host, "[::1]");
	}
	for (size_t i = 0; p.valid && i < sizeof(none) / sizeof(none[0]); i++)
		p.valid = !has_part(url, none[i]);
	curl_free(scheme);
	curl_free(host);
	curl_url_cleanup(url);
	return p;
}

void place_cut(const char *endpoint, struct sv *host, struct sv *base)
{
	const char *at = strstr(endpoint, "://") + 3;
	const char *end = strchr(at, '/');

	if (!end)
		end = at + strlen(at);
	*host = sv_make(at, (size_t)(end - at));
	*base = sv_from(end);
}
