/* SPDX-License-Identifier: Apache-2.0 */
#include "jailer/tap.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <netinet/in.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/fd.h"
#include "jailer/netns.h"

#define TUN_PATH  "/dev/net/tun"
/* What the VMM's net device expects of the descriptor. */
#define TAP_FLAGS (IFF_TAP | IFF_NO_PI | IFF_VNET_HDR)

/* FNV-1a, 32 bits: spreads ids well enough for a name. */
static uint32_t hash_text(const char *text)
{
	uint32_t hash = 2166136261U;

	for (; *text != '\0'; text++)
		hash = (hash ^ (unsigned char)*text) * 16777619U;
	return hash;
}

void tap_name(const char *id, unsigned index, char out[IFNAMSIZ])
{
	int n = snprintf(out, IFNAMSIZ, "kiln-%s-%u", id, index);

	if (n >= IFNAMSIZ)
		(void)snprintf(out, IFNAMSIZ, "kiln-%08x-%u", hash_text(id),
			       index % 10);
}

/* 0 when there is no interface of that name. */
static unsigned find_index(const char *name)
{
	struct ifreq request = {0};
	cleanup_fd int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (fd < 0 || ioctl(fd, SIOCGIFINDEX, &request) < 0)
		return 0;
	return (unsigned)request.ifr_ifindex;
}

static int open_tun(int *ret_fd, struct err *err)
{
	int fd = open(TUN_PATH, O_RDWR | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return err_set(err, errno, "open " TUN_PATH);
	*ret_fd = fd;
	return 0;
}

static int set_interface(int fd, const char *name)
{
	struct ifreq request = {.ifr_flags = TAP_FLAGS};

	(void)snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	return ioctl(fd, TUNSETIFF, &request) < 0 ? -errno : 0;
}

/* libnl has error numbers of its own; these are the ones that occur. */
static int from_netlink(int nl_error)
{
	switch (-nl_error) {
	case 0:
		return 0;
	case NLE_PERM:
	case NLE_NOACCESS:
		return -EPERM;
	case NLE_EXIST:
		return -EEXIST;
	case NLE_NODEV:
	case NLE_OBJ_NOTFOUND:
		return -ENODEV;
	case NLE_RANGE:
	case NLE_INVAL:
		return -EINVAL;
	default:
		return -EIO;
	}
}

static int open_netlink(struct nl_sock **ret_sock)
{
	struct nl_sock *sock = nl_socket_alloc();
	int r = sock == NULL ? -NLE_NOMEM : nl_connect(sock, NETLINK_ROUTE);

	if (r < 0)
		nl_socket_free(sock);
	else
		*ret_sock = sock;
	return from_netlink(r);
}

static int add_address(struct nl_sock *sock, unsigned ifindex,
		       const struct tap_settings *settings)
{
	uint32_t wire = htonl(settings->address);
	struct rtnl_addr *addr = rtnl_addr_alloc();
	struct nl_addr *local = nl_addr_build(AF_INET, &wire, sizeof(wire));
	int r = -NLE_NOMEM;

	if (addr != NULL && local != NULL) {
		rtnl_addr_set_ifindex(addr, (int)ifindex);
		(void)rtnl_addr_set_local(addr, local);
		rtnl_addr_set_prefixlen(addr, settings->prefix_bits);
		r = rtnl_addr_add(sock, addr, 0);
	}
	nl_addr_put(local);
	rtnl_addr_put(addr);
	return from_netlink(r);
}

static int bring_up(struct nl_sock *sock, unsigned ifindex,
		    const struct tap_settings *settings)
{
	struct rtnl_link *link = rtnl_link_alloc();
	struct rtnl_link *change = rtnl_link_alloc();
	int r = -NLE_NOMEM;

	if (link != NULL && change != NULL) {
		rtnl_link_set_ifindex(link, (int)ifindex);
		rtnl_link_set_flags(change, IFF_UP);
		rtnl_link_set_ifalias(change, settings->alias);
		if (settings->mtu != 0)
			rtnl_link_set_mtu(change, (unsigned)settings->mtu);
		r = rtnl_link_change(sock, link, change, 0);
	}
	rtnl_link_put(change);
	rtnl_link_put(link);
	return from_netlink(r);
}

static int configure(const struct tap_settings *settings, unsigned ifindex,
		     struct err *err)
{
	struct nl_sock *sock = NULL;
	int r = open_netlink(&sock);

	if (r < 0)
		return err_set(err, -r, "tap '%s': netlink", settings->name);
	if (settings->prefix_bits != 0)
		r = add_address(sock, ifindex, settings);
	if (r < 0)
		r = err_set(err, -r, "tap '%s': set its address",
			    settings->name);
	else if ((r = bring_up(sock, ifindex, settings)) < 0)
		r = err_set(err, -r, "tap '%s': bring it up", settings->name);
	nl_socket_free(sock);
	return r;
}

/* A persistent tap without an owner may be opened by everybody. */
static int make_persistent(int fd, const char *name, struct err *err)
{
	if (ioctl(fd, TUNSETOWNER, (unsigned long)geteuid()) < 0)
		return err_set(err, errno, "tap '%s': set its owner", name);
	if (ioctl(fd, TUNSETPERSIST, 1UL) < 0)
		return err_set(err, errno, "tap '%s': make it persistent",
			       name);
	return 0;
}

static int remove_here(const char *name, unsigned ifindex)
{
	struct rtnl_link *link = NULL;
	struct nl_sock *sock = NULL;
	int r = open_netlink(&sock);

	if (r < 0)
		return r;
	link = rtnl_link_alloc();
	if (link != NULL) {
		rtnl_link_set_name(link, name);
		if (ifindex != 0)
			rtnl_link_set_ifindex(link, (int)ifindex);
		r = from_netlink(rtnl_link_delete(sock, link));
	}
	rtnl_link_put(link);
	nl_socket_free(sock);
	return r == -ENODEV ? 0 : r;
}

static int create_here(const struct tap_settings *settings, int *ret_fd,
		       unsigned *ret_ifindex, struct err *err)
{
	const char *name = settings->name;
	cleanup_fd int fd = -1;
	int r;

	if (find_index(name) != 0)
		return err_say(err, EEXIST,
			       "an interface '%s' exists already; if nobody "
			       "needs it: ip link del %s",
			       name, name);
	r = open_tun(&fd, err);
	if (r < 0)
		return r;
	r = set_interface(fd, name);
	if (r == -EPERM)
		return err_say(err, EPERM,
			       "tap '%s': making one needs CAP_NET_ADMIN; name "
			       "one made for this user: ip tuntap add NAME "
			       "mode tap user USER vnet_hdr",
			       name);
	if (r < 0)
		return err_set(err, -r, "tap '%s': make it", name);
	*ret_ifindex = find_index(name);
	r = make_persistent(fd, name, err);
	if (r == 0)
		r = configure(settings, *ret_ifindex, err);
	if (r < 0) {
		(void)remove_here(name, *ret_ifindex);
		return r;
	}
	*ret_fd = fd_steal(&fd);
	return 0;
}

int tap_create(const struct tap_settings *settings, int *ret_fd,
	       unsigned *ret_ifindex, struct err *err)
{
	int home;
	int r = netns_enter(settings->netns, &home, err);

	if (r == 0)
		r = create_here(settings, ret_fd, ret_ifindex, err);
	netns_leave(home);
	return r;
}

/* Does /proc/PID/fdinfo/N belong to this interface? */
static bool fdinfo_names(const char *pid, const char *fd, const char *name)
{
	char path[600];
	char text[1024];
	char wanted[IFNAMSIZ + 8];

	(void)snprintf(path, sizeof(path), "/proc/%s/fdinfo/%s", pid, fd);
	cleanup_fd int info = open(path, O_RDONLY | O_CLOEXEC);
	if (info < 0)
		return false;
	ssize_t n = read(info, text, sizeof(text) - 1);
	text[n < 0 ? 0 : n] = '\0';
	/* Linux Documentation/filesystems/proc.rst has no word on it; see
	 * tun_chr_show_fdinfo(): "iff:" TAB NAME */
	(void)snprintf(wanted, sizeof(wanted), "iff:\t%s\n", name);
	return strstr(text, wanted) != NULL;
}

static bool process_holds(const char *pid, const char *name)
{
	char path[300];
	const struct dirent *entry;
	bool found = false;

	(void)snprintf(path, sizeof(path), "/proc/%s/fdinfo", pid);
	DIR *dir = opendir(path);
	if (dir == NULL)
		return false;
	while (!found && (entry = readdir(dir)) != NULL)
		found = fdinfo_names(pid, entry->d_name, name);
	(void)closedir(dir);
	return found;
}

/* Only for the message: 0 when it is not for us to see. */
static int find_holder(const char *name)
{
	DIR *dir = opendir("/proc");
	const struct dirent *entry;
	int holder = 0;

	if (dir == NULL)
		return 0;
	while (holder == 0 && (entry = readdir(dir)) != NULL) {
		if (strspn(entry->d_name, "0123456789") ==
			    strlen(entry->d_name) &&
		    process_holds(entry->d_name, name))
			holder = (int)strtol(entry->d_name, NULL, 10);
	}
	(void)closedir(dir);
	return holder;
}

static int explain_attach(int r, const char *name, struct err *err)
{
	if (r == -EBUSY) {
		int holder = find_holder(name);

		if (holder == 0)
			return err_say(err, EBUSY,
				       "tap '%s' is in use by another process",
				       name);
		return err_say(err, EBUSY, "tap '%s' is in use by process %d",
			       name, holder);
	}
	if (r == -EPERM)
		return err_say(err, EPERM,
			       "tap '%s' belongs to another user: ip tuntap "
			       "add %s mode tap user USER vnet_hdr",
			       name, name);
	if (r == -EINVAL)
		return err_say(err, EINVAL,
			       "interface '%s' is no tap, or a multi-queue one",
			       name);
	return err_set(err, -r, "attach to tap '%s'", name);
}

static int attach_here(const char *name, int *ret_fd, struct err *err)
{
	cleanup_fd int fd = -1;
	int r;

	if (find_index(name) == 0)
		return err_say(err, ENODEV,
			       "no interface '%s'; make it with: ip tuntap "
			       "add %s mode tap user USER vnet_hdr, or let "
			       "kiln make one with tap = auto",
			       name, name);
	r = open_tun(&fd, err);
	if (r < 0)
		return r;
	r = set_interface(fd, name);
	if (r < 0)
		return explain_attach(r, name, err);
	*ret_fd = fd_steal(&fd);
	return 0;
}

int tap_attach(const char *netns, const char *name, int *ret_fd,
	       struct err *err)
{
	int home;
	int r = netns_enter(netns, &home, err);

	if (r == 0)
		r = attach_here(name, ret_fd, err);
	netns_leave(home);
	return r;
}

int tap_remove(const char *netns, const char *name, unsigned ifindex,
	       struct err *err)
{
	int home;
	int r = netns_enter(netns, &home, err);

	if (r == 0 && (r = remove_here(name, ifindex)) < 0)
		r = err_set(err, -r, "remove tap '%s'", name);
	netns_leave(home);
	return r;
}
