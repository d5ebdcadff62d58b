/* SPDX-License-Identifier: MIT */
#include "digest_hash.h"

#include <assert.h>
#include <stddef.h>

/* The parameters of a challenge by name, before they are judged. */
struct params {
        struct auth_param realm, nonce, opaque, algorithm, qop, stale, charset, userhash;
};

static struct auth_param *param_named(struct params *params, struct muster_str name)
{
        static const struct {
                const char *name;
                size_t at;
        } names[] = {
                { "realm", offsetof(struct params, realm) },
                { "nonce", offsetof(struct params, nonce) },
                { "opaque", offsetof(struct params, opaque) },
                { "algorithm", offsetof(struct params, algorithm) },
                { "qop", offsetof(struct params, qop) },
                { "stale", offsetof(struct params, stale) },
                { "charset", offsetof(struct params, charset) },
                { "userhash", offsetof(struct params, userhash) },
        };

        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
                if (str_is_nocase(name, names[i].name))
                        return (struct auth_param *)(void *)((char *)params + names[i].at);
        return NULL;
}

/* Of parameters with the same name the first counts. */
static struct params read_params(struct muster_str text)
{
        struct params params = { 0 };
        struct auth_param param;

        while (auth_next_param(&text, &param)) {
                struct auth_param *to = param_named(&params, param.name);

                if (to && !to->name.at)
                        *to = param;
        }
        return params;
}

/* Read "SHA-256-sess". False: an algorithm that we do not have. */
static bool read_algorithm(struct muster_str name, struct digest_challenge *challenge)
{
        static const struct {
                const char *name;
                enum digest_algorithm algorithm;
        } names[] = {
                { "MD5", DIGEST_MD5 },
                { "SHA-256", DIGEST_SHA_256 },
                { "SHA-512-256", DIGEST_SHA_512_256 },
        };
        static const struct muster_str session = { "-sess", 5 };
        struct muster_str end = { name.at, name.len };

        if (name.len > session.len) {
                end.at += name.len - session.len;
                end.len = session.len;
                challenge->is_session = str_eq_nocase(end, session);
                name.len -= challenge->is_session ? session.len : 0;
        }
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
                if (str_is_nocase(name, names[i].name)) {
                        challenge->algorithm = names[i].algorithm;
                        return digest_hash_is_there(challenge->algorithm);
                }
        return false;
}

/* Is `auth` in the list? */
static bool offers_auth(struct muster_str list)
{
        struct muster_str member;

        while (str_split(&list, ',', &member))
                if (str_is_nocase(str_trim(member), "auth"))
                        return true;
        return false;
}

static bool is_true(const struct auth_param *param)
{
        return str_is_nocase(param->value, "true");
}

static int refuse(const char **ret_why, const char *why)
{
        *ret_why = why;
        return DIGEST_UNUSABLE;
}

int digest_read(const struct auth_challenge *from, struct digest_challenge *ret_challenge,
        const char **ret_why)
{
        struct params params = read_params(from->params);
        struct digest_challenge challenge = {
                .realm = params.realm,
                .nonce = params.nonce,
                .opaque = params.opaque,
                .algorithm_name = params.algorithm,
                .algorithm = DIGEST_MD5,
                .has_qop = params.qop.name.at != NULL,
                .has_opaque = params.opaque.name.at != NULL,
                .is_stale = is_true(&params.stale),
                .hashes_user = is_true(&params.userhash),
                .is_utf8 = str_is_nocase(params.charset.value, "UTF-8"),
        };

        assert(ret_challenge && ret_why);
        if (!challenge.nonce.name.at)
                return refuse(ret_why, "its Digest challenge has no nonce");
        if (params.algorithm.name.at && !read_algorithm(params.algorithm.value, &challenge))
                return refuse(ret_why,
                        "its Digest challenge has an algorithm other than MD5, SHA-256 and SHA-512-256");
        if (!params.algorithm.name.at && !digest_hash_is_there(DIGEST_MD5))
                return refuse(ret_why,
                        "its Digest challenge wants MD5, which this OpenSSL does not allow");
        if (challenge.has_qop && !offers_auth(params.qop.value))
                return refuse(ret_why,
                        "its Digest challenge wants the quality of protection auth-int, not auth");
        *ret_challenge = challenge;
        return 0;
}
