/*
 * Implements the functions of OpenSSL that open-iscsi uses for CHAP, by libtomcrypt, which is linked in. OpenSSL's own
 * library would take 2 MB packed. EVP_DigestInit(3)
 */
#pragma once
#include <stdlib.h>
#include <tomcrypt.h>

typedef struct ltc_hash_descriptor EVP_MD;
typedef struct {
	const EVP_MD *hash;
	hash_state state;
} EVP_MD_CTX;

static inline const EVP_MD *EVP_md5(void) { return &md5_desc; }
static inline const EVP_MD *EVP_sha1(void) { return &sha1_desc; }
static inline const EVP_MD *EVP_sha256(void) { return &sha256_desc; }
static inline const EVP_MD *EVP_sha3_256(void) { return &sha3_256_desc; }

static inline EVP_MD_CTX *EVP_MD_CTX_new(void) { return calloc(1, sizeof(EVP_MD_CTX)); }
static inline void EVP_MD_CTX_free(EVP_MD_CTX *context) { free(context); }

static inline int EVP_DigestInit_ex(EVP_MD_CTX *context, const EVP_MD *hash, const void *engine)
{
	(void)engine;
	context->hash = hash;
	return hash->init(&context->state) == CRYPT_OK;
}

static inline int EVP_DigestUpdate(EVP_MD_CTX *context, const void *data, size_t length)
{
	return context->hash->process(&context->state, data, length) == CRYPT_OK;
}

static inline int EVP_DigestFinal_ex(EVP_MD_CTX *context, unsigned char *digest, unsigned int *length)
{
	*length = context->hash->hashsize;
	return context->hash->done(&context->state, digest) == CRYPT_OK;
}
