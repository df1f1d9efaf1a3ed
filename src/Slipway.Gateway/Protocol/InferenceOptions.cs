using System.Net;
using Slipway.Gateway.Admission;

namespace Slipway.Gateway.Protocol;

/// <summary>Where and how the inference protocol is served.</summary>
public sealed record InferenceOptions
{
    /// <summary>Default: loopback, so that nothing is open to the network unless somebody says so.</summary>
    public IPAddress Address { get; init; } = IPAddress.Loopback;

    /// <summary>0 to 65535; 0 takes any that is free. Default 0.</summary>
    public int Port { get; init; }

    /// <summary>
    /// Open connections, 1 to 65,536, and at most half of the files that the process may open. Beyond, those that have waited longest
    /// without a whole request are closed. Default 8,192.
    /// </summary>
    public int Connections { get; init; } = 8192;

    /// <summary>Bytes of a request's body, 1 to 128 MiB; a larger one is answered 413. Default 16 MiB.</summary>
    public int BodyLimit { get; init; } = 16 * 1024 * 1024;

    /// <summary>Rows of one request, at least 1; a larger batch is answered 413, before it can hold up a model that others wait for. Default 100,000.</summary>
    public int RowLimit { get; init; } = 100_000;

    /// <summary>From a request's headers to the model's answer, 1 ms to 1 h; the header <c>Slipway-Timeout-Ms</c> can only ask for less. Default 10 s.</summary>
    public TimeSpan RequestLimit { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Requests of one model, all its versions together, that are answered at once; at least 1. Default 256.</summary>
    public int ModelConcurrency { get; init; } = 256;

    /// <summary>Requests of one model that wait for that, at least 0; the one beyond is answered 503. Default 1,024.</summary>
    public int ModelQueue { get; init; } = 1024;

    /// <summary>For each caller; requests beyond are answered 429. Default: none.</summary>
    public RateLimit? RateLimit { get; init; }

    /// <summary>Whether <c>/metrics</c> is answered, on the same listener. Default: it is.</summary>
    public bool Metrics { get; init; } = true;

    /// <summary>The channel whose versions answer, as traces and metrics name it. Default: empty, for none.</summary>
    public string Channel { get; init; } = "";

    /// <summary>Where traces and metrics are sent to by OTLP over HTTP, such as <c>http://localhost:4318</c>. Default: nowhere, and then none are made.</summary>
    public Uri? OtlpEndpoint { get; init; }

    /// <summary>The share of requests that are traced although their caller does not trace them, 0 to 1; without <see cref="OtlpEndpoint"/> none is. Default 0.01.</summary>
    public double TraceShare { get; init; } = 0.01;

    /// <summary>How long a stop waits for requests in flight. Default 30 s.</summary>
    public TimeSpan StopGrace { get; init; } = TimeSpan.FromSeconds(30);

    public TimeProvider Time { get; init; } = TimeProvider.System;
}
