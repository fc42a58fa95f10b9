/*
 * curl 8.14 asks whether digest authentication is there even when it was built without (lib/curl_sasl.c does
 * not look at CURL_DISABLE_DIGEST_AUTH). It needs MD5, which we do not build. Goes when curl links without it.
 */
#include <stdbool.h>

bool Curl_auth_is_digest_supported(void);

bool Curl_auth_is_digest_supported(void)
{
	return false;
}
