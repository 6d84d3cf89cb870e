"""Which networks an address of a sender belongs to: what one sender cannot change at will."""

import ipaddress


def networks(address: str) -> tuple[str, ...]:
    """Return the networks of an address, the narrowest first.

    An IPv4 address is its own; an IPv6 address is of its /64, which is what one customer gets at
    least, and of its /48, which is what many get.

    >>> networks("192.0.2.7"), networks("::ffff:192.0.2.7")
    (('192.0.2.7',), ('192.0.2.7',))
    >>> networks("2001:db8:1:2:3:4:5:6")
    ('2001:db8:1:2::/64', '2001:db8:1::/48')
    """
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:  # a socket without an address
        return (address,)
    if isinstance(ip, ipaddress.IPv4Address):
        return (str(ip),)
    if ip.ipv4_mapped is not None:
        return (str(ip.ipv4_mapped),)
    return tuple(str(ipaddress.IPv6Network((int(ip), bits), strict=False)) for bits in (64, 48))
