// SPDX-License-Identifier: Apache-2.0
/* Security associations and policies for VXLAN packets between two VTEPs, by raw netlink. */
#include "overlay-netlink.h"

#include <linux/xfrm.h>
#include <string.h>
#include <sys/socket.h>

#define VXLAN_PORT 4789
#define AUTHENTICATION_BITS 160

static xfrm_address_t address_of(struct in_addr ip)
{
	return (xfrm_address_t){.a4 = ip.s_addr};
}

static struct xfrm_selector vxlan_between(struct in_addr from, struct in_addr to)
{
	return (struct xfrm_selector){
	    .saddr = address_of(from),
	    .daddr = address_of(to),
	    .dport = htons(VXLAN_PORT),
	    .dport_mask = 0xffff,
	    .family = AF_INET,
	    .prefixlen_s = 32,
	    .prefixlen_d = 32,
	    .proto = IPPROTO_UDP,
	};
}

static struct xfrm_lifetime_cfg for_ever(void)
{
	return (struct xfrm_lifetime_cfg){XFRM_INF, XFRM_INF, XFRM_INF, XFRM_INF, 0, 0, 0, 0};
}

int state_add(int fd, struct in_addr from, struct in_addr to, uint32_t spi)
{
	struct xfrm_usersa_info head = {
	    .id = {.daddr = address_of(to), .spi = htonl(spi), .proto = IPPROTO_ESP},
	    .saddr = address_of(from),
	    .lft = for_ever(),
	    .family = AF_INET,
	    .mode = XFRM_MODE_TRANSPORT,
	    .replay_window = 32,
	    .reqid = 1,
	};
	struct xfrm_algo cipher = {.alg_name = "ecb(cipher_null)"};
	struct {
		struct xfrm_algo algorithm;
		uint8_t key[AUTHENTICATION_BITS / 8];
	} authentication = {.algorithm = {.alg_name = "hmac(sha1)", .alg_key_len = AUTHENTICATION_BITS}};
	struct nl_message m;

	memset(authentication.key, spi & 0xff, sizeof(authentication.key));
	nl_start(&m, XFRM_MSG_NEWSA, NLM_F_CREATE | NLM_F_EXCL, &head, sizeof(head));
	nl_put(&m, XFRMA_ALG_CRYPT, &cipher, sizeof(cipher));
	nl_put(&m, XFRMA_ALG_AUTH, &authentication, sizeof(authentication));
	return nl_ask(fd, &m);
}

int state_delete(int fd, struct in_addr to, uint32_t spi)
{
	struct xfrm_usersa_id head = {
	    .daddr = address_of(to),
	    .spi = htonl(spi),
	    .family = AF_INET,
	    .proto = IPPROTO_ESP,
	};
	struct nl_message m;

	nl_start(&m, XFRM_MSG_DELSA, 0, &head, sizeof(head));
	return nl_ask(fd, &m);
}

int policy_set(int fd, uint16_t type, struct in_addr from, struct in_addr to, uint32_t spi)
{
	struct xfrm_userpolicy_info head = {
	    .sel = vxlan_between(from, to),
	    .lft = for_ever(),
	    .dir = XFRM_POLICY_OUT,
	    .action = XFRM_POLICY_ALLOW,
	};
	struct xfrm_user_tmpl template = {
	    .id = {.daddr = address_of(to), .spi = htonl(spi), .proto = IPPROTO_ESP},
	    .family = AF_INET,
	    .saddr = address_of(from),
	    .reqid = 1,
	    .mode = XFRM_MODE_TRANSPORT,
	    .aalgos = ~0u,
	    .ealgos = ~0u,
	    .calgos = ~0u,
	};
	struct nl_message m;

	nl_start(&m, type, NLM_F_CREATE, &head, sizeof(head));
	nl_put(&m, XFRMA_TMPL, &template, sizeof(template));
	return nl_ask(fd, &m);
}

int policy_delete(int fd, struct in_addr from, struct in_addr to)
{
	struct xfrm_userpolicy_id head = {.sel = vxlan_between(from, to), .dir = XFRM_POLICY_OUT};
	struct nl_message m;

	nl_start(&m, XFRM_MSG_DELPOLICY, 0, &head, sizeof(head));
	return nl_ask(fd, &m);
}
