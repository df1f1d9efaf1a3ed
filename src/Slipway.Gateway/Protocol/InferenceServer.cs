using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Slipway.Primitives.Faults;
using Slipway.Runtime.ModelHosts;

namespace Slipway.Gateway.Protocol;

/// <summary>One model behind the Open Inference Protocol, version 2, REST over HTTP/1.1.</summary>
/// <remarks>
/// Kestrel without a web host: no container, no configuration from files or variables that happen to lie about, no logging. The server
/// neither owns nor ends the model's host. Every answer that gets as far as HTTP carries <see cref="BundleHeader"/>.
/// </remarks>
public sealed class InferenceServer : IAsyncDisposable
{
    /// <summary>The header that says which bundle answered.</summary>
    public const string BundleHeader = "Slipway-Bundle";

    /// <summary>Open connections; further ones are closed at once. A fifth of the descriptors that a process commonly has.</summary>
    private const int MaxConnections = 4096;

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

    /// <summary>Listens, whether or not the model is ready yet: until then it is live, not ready, and answers 503.</summary>
    /// <exception cref="SlipwayException">The port is in use, may not be used, or the address is not this machine's (exit 3); an option is out of range (exit 2).</exception>
    public static async Task<InferenceServer> StartAsync(InferenceOptions options, IModelHost host, CancellationToken cancellation)
    {
        Validate(options);
        var kestrel = new KestrelServerOptions { AddServerHeader = false };
        kestrel.Limits.MaxConcurrentConnections = MaxConnections;
        kestrel.Limits.MaxRequestBodySize = FramingFactor * options.BodyLimit;
        kestrel.Limits.RequestHeadersTimeout = HeadersLimit;
        kestrel.Listen(options.Address, options.Port, listen => listen.Protocols = HttpProtocols.Http1);
        var transport = new SocketTransportFactory(Options.Create(new SocketTransportOptions()), NullLoggerFactory.Instance);
        var server = new KestrelServer(Options.Create(kestrel), transport, NullLoggerFactory.Instance);
        try
        {
            var application = new InferenceApplication(host, options);
            await server.StartAsync(application, cancellation);
            return new InferenceServer(server, application, options);
        }
        catch (Exception e)
        {
            server.Dispose();
            if (Explain(e, new IPEndPoint(options.Address, options.Port)) is { } explained)
                throw explained;
            throw;
        }
    }

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
        application.Dispose();
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
