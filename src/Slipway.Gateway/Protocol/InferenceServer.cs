using System.Collections.Frozen;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Slipway.Documents.Rollouts;
using Slipway.Gateway.Admission;
using Slipway.Gateway.Routing;
using Slipway.Primitives.Faults;
using Slipway.Runtime.ModelHosts;

namespace Slipway.Gateway.Protocol;

/// <summary>Models behind the Open Inference Protocol, version 2, REST over HTTP/1.1: one, or those of a routing table.</summary>
/// <remarks>
/// Kestrel without a web host: no container, no configuration from files or variables that happen to lie about, no logging. The server
/// neither owns nor ends the models' hosts. Every answer of a model that gets as far as HTTP carries <see cref="BundleHeader"/>.
/// </remarks>
public sealed class InferenceServer : IAsyncDisposable
{
    /// <summary>The header that says which bundle answered.</summary>
    public const string BundleHeader = Exchange.BundleHeader;

    /// <summary>Kestrel counts the framing of chunks as body, six bytes for a chunk of one; the body itself is counted when it is read.</summary>
    private const long FramingFactor = 8;

    /// <summary>For a request's headers, from its first byte.</summary>
    private static readonly TimeSpan HeadersLimit = TimeSpan.FromSeconds(15);

    private readonly KestrelServer server;
    private readonly InferenceApplication application;
    private readonly InferenceOptions options;
    private int stopped;

    private InferenceServer(KestrelServer server, InferenceApplication application, InferenceOptions options) =>
        (this.server, this.application, this.options) = (server, application, options);

    /// <summary>Where it answers, such as <c>http://127.0.0.1:8080</c>.</summary>
    public Uri Url => new(server.Features.Get<IServerAddressesFeature>()!.Addresses.First());

    /// <summary>Serves one model, which is no version of any registry: paths and answers name it by the first digits of its bundle's digest.</summary>
    /// <inheritdoc cref="StartAsync(InferenceOptions, Router, CancellationToken)"/>
    public static Task<InferenceServer> StartAsync(InferenceOptions options, IModelHost host, CancellationToken cancellation)
    {
        var version = new ServedVersion(new VersionRef(0, host.Model.Bundle), host);
        var route = new LiveRoute(host.Model.Name, version, null, new Dictionary<int, ServedVersion> { [0] = version }.ToFrozenDictionary(), null);
        var router = new Router();
        router.Replace(new RoutingTable(0, 1, new Dictionary<string, LiveRoute>(StringComparer.Ordinal) { [route.Model] = route }.ToFrozenDictionary(StringComparer.Ordinal)));
        return StartAsync(options, router, cancellation);
    }

    /// <summary>Listens, whether or not a model is ready yet: until then it is live, not ready, and answers 503.</summary>
    /// <exception cref="SlipwayException">The port is in use, may not be used, or the address is not this machine's (exit 3); an option is out of range (exit 2).</exception>
    internal static async Task<InferenceServer> StartAsync(InferenceOptions options, Router router, CancellationToken cancellation)
    {
        Validate(options);
        var kestrel = new KestrelServerOptions { AddServerHeader = false };
        kestrel.Limits.MaxConcurrentConnections = null;
        kestrel.Limits.MaxRequestBodySize = FramingFactor * options.BodyLimit;
        kestrel.Limits.RequestHeadersTimeout = HeadersLimit;
        var places = new ConnectionPlaces(ConnectionPlaces.Limit(options.Connections), options.Time);
        kestrel.Listen(options.Address, options.Port, listen =>
        {
            listen.Protocols = HttpProtocols.Http1;
            listen.Use(next => connection => places.RunAsync(connection, next));
        });
        var transport = new SocketTransportFactory(Options.Create(new SocketTransportOptions()), NullLoggerFactory.Instance);
        var server = new KestrelServer(Options.Create(kestrel), transport, NullLoggerFactory.Instance);
        var application = new InferenceApplication(router, options);
        try
        {
            await server.StartAsync(application, cancellation);
            return new InferenceServer(server, application, options);
        }
        catch (Exception e)
        {
            server.Dispose();
            await application.DisposeAsync();
            if (Explain(e, new IPEndPoint(options.Address, options.Port)) is { } explained)
                throw explained;
            throw;
        }
    }

    /// <summary>Requests that are being answered.</summary>
    internal long CountInFlight() => application.InFlight;

    /// <summary>Answers new requests 503, waits for those in flight, and closes. Safe to call again.</summary>
    public async Task StopAsync()
    {
        if (Interlocked.Exchange(ref stopped, 1) != 0)
            return;
        using var grace = new CancellationTokenSource(options.StopGrace);
        await application.DrainAsync(grace.Token);
        await server.StopAsync(grace.Token);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        server.Dispose();
        await application.DisposeAsync();
    }

    private static void Validate(InferenceOptions options)
    {
        const int largest = 128 * 1024 * 1024;
        var faults = new List<Fault>();
        if (options.Port is < 0 or > IPEndPoint.MaxPort)
            faults.Add(new Fault("bad-port", $"the port is {options.Port}, allowed 0 to {IPEndPoint.MaxPort} (0 takes any that is free)"));
        if (options.BodyLimit is < 1 or > largest)
            faults.Add(new Fault("bad-body-limit", $"the limit of a request's body is {options.BodyLimit}, allowed 1 to {largest} bytes"));
        if (options.RowLimit < 1)
            faults.Add(new Fault("bad-row-limit", $"the limit of a request's rows is {options.RowLimit}, allowed at least 1"));
        if (options.RequestLimit < TimeSpan.FromMilliseconds(1) || options.RequestLimit > TimeSpan.FromHours(1))
            faults.Add(new Fault("bad-request-limit", $"the limit of a request is {options.RequestLimit.TotalMilliseconds:0.###} ms, allowed 1 ms to 1 h"));
        if (options.ModelConcurrency < 1 || options.ModelQueue < 0)
            faults.Add(new Fault("bad-concurrency", $"{options.ModelConcurrency} requests of a model at once and {options.ModelQueue} waiting; allowed are at least 1 and at least 0"));
        if (options.Connections is < 1 or > 65_536)
            faults.Add(new Fault("bad-connections", $"the number of connections is {options.Connections}, allowed 1 to 65,536"));
        if (options.RateLimit is { } rate && (!(rate.PerSecond > 0) || rate.Burst < 1))
            faults.Add(new Fault("bad-rate-limit", $"{rate.PerSecond} requests a second and {rate.Burst} at once; allowed are more than 0 and at least 1"));
        if (options.TraceShare is not (>= 0 and <= 1))
            faults.Add(new Fault("bad-trace-share", $"the share of requests that are traced is {options.TraceShare}, allowed 0 to 1"));
        if (options.OtlpEndpoint is { } otlp && (!otlp.IsAbsoluteUri || otlp.Scheme is not ("http" or "https")))
            faults.Add(new Fault("bad-otlp-endpoint", $"the OTLP endpoint is '{otlp}', allowed is an absolute URL of http or https"));
        if (faults.Count > 0)
            throw new SlipwayException(ExitCode.UnusableInput, faults);
    }

    private static SlipwayException? Explain(Exception e, IPEndPoint place) => e switch
    {
        IOException { InnerException: AddressInUseException } or AddressInUseException => new SlipwayException(
            ExitCode.NotThere, new Fault("port-in-use", $"port {place.Port} of {place.Address} is in use by another program", Help: "stop that program, or choose another port; 0 takes any that is free"), e),
        SocketException { SocketErrorCode: SocketError.AccessDenied } => new SlipwayException(
            ExitCode.NotThere, new Fault("port-not-allowed", $"this user may not listen on port {place.Port}", Help: "choose a port from 1024 on"), e),
        SocketException { SocketErrorCode: SocketError.AddressNotAvailable } => new SlipwayException(
            ExitCode.NotThere, new Fault("address-not-here", $"{place.Address} is no address of this machine", Help: "listen on 127.0.0.1, or on 0.0.0.0 for all addresses"), e),
        _ => null,
    };
}
