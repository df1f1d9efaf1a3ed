using System.Net;
using System.Net.Sockets;

namespace Slipway.Server.Webhooks;

/// <summary>Where webhooks may lead. An administrator names them, so private networks are allowed; what only a mistake or a trick can mean is not.</summary>
internal static class ReceiverAddress
{
    /// <summary>Where clouds give out credentials to whoever asks from inside, beyond 169.254.0.0/16.</summary>
    private static readonly IPAddress[] Metadata = [IPAddress.Parse("fd00:ec2::254"), IPAddress.Parse("100.100.100.200"), IPAddress.Parse("168.63.129.16")];

    private static readonly IPNetwork[] Never =
    [
        IPNetwork.Parse("0.0.0.0/8"), IPNetwork.Parse("169.254.0.0/16"), IPNetwork.Parse("224.0.0.0/3"),
        IPNetwork.Parse("::/128"), IPNetwork.Parse("fe80::/10"), IPNetwork.Parse("fec0::/10"), IPNetwork.Parse("ff00::/8"),
        // Tunnels and local translators, which may end anywhere: Teredo (RFC 4380), 6to4 (RFC 3056), local NAT64 (RFC 8215).
        IPNetwork.Parse("2001::/32"), IPNetwork.Parse("2002::/16"), IPNetwork.Parse("64:ff9b:1::/48"),
    ];

    /// <summary>IPv6 addresses that stand for an IPv4 one: its last four bytes.</summary>
    private static readonly IPNetwork[] Translated = [IPNetwork.Parse("64:ff9b::/96"), IPNetwork.Parse("::/96")];

    /// <returns>Why nothing is sent there; null when it may be.</returns>
    /// <param name="scheme">http goes to this machine alone: on the way elsewhere anybody could read and change it.</param>
    public static string? Refusal(IPAddress address, string scheme)
    {
        var real = Real(address);
        if (Never.Any(network => network.BaseAddress.AddressFamily == real.AddressFamily && network.Contains(real)))
            return $"{address} is link-local, unspecified, multicast or a tunnel";
        if (Metadata.Contains(real))
            return $"{address} is a cloud's metadata service";
        return scheme == Uri.UriSchemeHttp && !IPAddress.IsLoopback(real) ? $"{address} is not this machine, and http may lead nowhere else" : null;
    }

    /// <returns>Why it can be no webhook's; null when it may be, as far as can be told without asking for the name's address.</returns>
    public static string? Refusal(Uri url)
    {
        if (!url.IsAbsoluteUri || url.Scheme != Uri.UriSchemeHttps && url.Scheme != Uri.UriSchemeHttp)
            return "it is no address that begins with https:// (or http:// on this machine)";
        if (url.UserInfo.Length > 0)
            return "it holds a user's name or password, and addresses are shown to people; receivers check the signature instead";
        if (url.Scheme == Uri.UriSchemeHttp && !url.IsLoopback)
            return "http may lead to this machine alone: anybody on the way elsewhere could read and change what is sent";
        return IPAddress.TryParse(url.IdnHost, out var address) ? Refusal(address, url.Scheme) : null;
    }

    private static IPAddress Real(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
            return address.MapToIPv4();
        return address.AddressFamily == AddressFamily.InterNetworkV6 && !IPAddress.IsLoopback(address) && !address.Equals(IPAddress.IPv6None) && Translated.Any(network => network.Contains(address))
            ? new IPAddress(address.GetAddressBytes().AsSpan(12))
            : address;
    }
}
