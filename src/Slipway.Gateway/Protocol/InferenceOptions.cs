using System.Net;

namespace Slipway.Gateway.Protocol;

/// <summary>Where and how the inference protocol is served.</summary>
public sealed record InferenceOptions
{
    /// <summary>Default: loopback, so that nothing is open to the network unless somebody says so.</summary>
    public IPAddress Address { get; init; } = IPAddress.Loopback;

    /// <summary>0 to 65535; 0 takes any that is free. Default 0.</summary>
    public int Port { get; init; }

    /// <summary>Bytes of a request's body, 1 to 128 MiB; a larger one is answered 413. Default 16 MiB.</summary>
    public int BodyLimit { get; init; } = 16 * 1024 * 1024;

    /// <summary>Rows of one request, at least 1; a larger batch is answered 413, before it can hold up a model that others wait for. Default 100,000.</summary>
    public int RowLimit { get; init; } = 100_000;

    /// <summary>How long a stop waits for requests in flight. Default 30 s.</summary>
    public TimeSpan StopGrace { get; init; } = TimeSpan.FromSeconds(30);
}
