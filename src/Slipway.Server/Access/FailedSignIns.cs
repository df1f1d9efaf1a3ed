using System.Net;
using System.Net.Sockets;

namespace Slipway.Server.Access;

/// <summary>Counts tokens that proved nothing, by address and minute.</summary>
internal sealed class FailedSignIns(TimeProvider time)
{
    /// <summary>In one <see cref="Window"/>: a person who mistypes, or a script in a loop that somebody will notice.</summary>
    public const int Most = 20;

    /// <summary>Addresses in a window; when there are more, those that come new count as having failed too often.</summary>
    private const int MostAddresses = 10_000;

    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    private readonly Lock counting = new();
    private readonly Dictionary<IPAddress, int> failures = [];
    private long begun = time.GetTimestamp();

    /// <returns>How long to wait; null while there were not too many.</returns>
    public TimeSpan? Add(IPAddress? address)
    {
        var from = Network(address ?? IPAddress.None);
        lock (counting)
        {
            if (time.GetElapsedTime(begun) >= Window)
            {
                failures.Clear();
                begun = time.GetTimestamp();
            }

            var count = failures.GetValueOrDefault(from) + 1;
            if (count > 1 || failures.Count < MostAddresses)
                failures[from] = count;
            else
                count = Most + 1;
            return count > Most ? Window - time.GetElapsedTime(begun) : null;
        }
    }

    /// <summary>Who has an IPv6 address has the 2⁶⁴ of its network.</summary>
    private static IPAddress Network(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
            return address.MapToIPv4();
        if (address.AddressFamily != AddressFamily.InterNetworkV6)
            return address;
        var bytes = address.GetAddressBytes();
        bytes.AsSpan(8).Clear();
        return new IPAddress(bytes);
    }
}
