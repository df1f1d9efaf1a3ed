using System.Collections.Immutable;
using System.Net;
using Microsoft.AspNetCore.Http;
using Slipway.Primitives.Faults;
using Slipway.Server.Api;

namespace Slipway.Server.Listening;

/// <summary>
/// Names that a server of this machine alone answers to. A page that a person looks at may make its own name lead to the loopback
/// address, and read from here as if it were this server's (DNS rebinding); the browser tells that name as the request's host.
/// </summary>
internal sealed class HostNames(ServerOptions options)
{
    private readonly bool loopback = IPAddress.IsLoopback(options.Address);
    private readonly ImmutableHashSet<string> names = [.. options.HostNames.Append("localhost").Select(name => name.ToLowerInvariant())];

    /// <exception cref="ApiProblem">It is another's name (421).</exception>
    public void Check(HostString host)
    {
        if (loopback && host.HasValue && !IPAddress.TryParse(host.Host.Trim('[', ']'), out _) && !names.Contains(host.Host.ToLowerInvariant()))
            throw new ApiProblem(StatusCodes.Status421MisdirectedRequest, new Fault("wrong-host", $"this server does not answer to the name '{host.Host}'", Help: "call it by its address, or start it with --host-name NAME where a proxy of this machine passes that name on"));
    }
}
