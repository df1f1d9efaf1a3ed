using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using Slipway.Documents.Monitoring;

namespace Slipway.Server.Webhooks;

/// <summary>Makes one try: a POST, signed, to an address that was looked at after its name was resolved. Follows no redirect, and uses no proxy.</summary>
internal sealed class WebhookSender : IDisposable
{
    /// <summary>For all of one try.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Bytes that are read of an answer, for the error's text.</summary>
    private const int MostOfAnswer = 1024;

    /// <summary>Characters of an error's text.</summary>
    private const int LongestError = 300;

    /// <summary>To one receiver; one delivery at a time needs one, and a moved receiver a second.</summary>
    private const int Connections = 2;

    private readonly HttpClient http;
    private readonly WebhookKey key;
    private readonly TimeProvider time;

    /// <param name="trust">Judges receivers' certificates in the system's place; null for the system.</param>
    public WebhookSender(WebhookKey key, TimeProvider time, RemoteCertificateValidationCallback? trust = null)
    {
        (this.key, this.time) = (key, time);
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            MaxConnectionsPerServer = Connections,
            ConnectCallback = ConnectAsync,
            MaxResponseHeadersLength = 16,
            // A receiver that moves is looked up again.
            PooledConnectionLifetime = TimeSpan.FromMinutes(2),
        };
        handler.SslOptions.RemoteCertificateValidationCallback = trust;
        http = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <param name="cancellation">Of the server: a try that is cut off by it is made again.</param>
    public async Task<TryOutcome> SendAsync(StoredWebhook webhook, StoredDelivery delivery, CancellationToken cancellation)
    {
        if (webhook.KeyId != key.Id)
            return new(null, "webhooks.key is not the one that this webhook was added under: put that one back, or remove the webhook and add it again", Hopeless: true);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(Patience);
        try
        {
            using var request = Request(webhook, delivery);
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, patience.Token);
            if (response.IsSuccessStatusCode)
                return new(response.StatusCode, null);
            var said = await BeginningAsync(response, patience.Token);
            return new(response.StatusCode, Clean($"it answered {(int)response.StatusCode}{(said.Length > 0 ? $": {said}" : "")}"), RetryAfter(response));
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return new(null, $"it did not answer within {Patience.TotalSeconds:0} s");
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            return Find<AddressRefusedException>(e) is { } refused ? new(null, Clean($"nothing was sent: {refused.Message}"), Hopeless: true) : new(null, Clean(Innermost(e).Message));
        }
    }

    public void Dispose() => http.Dispose();

    private HttpRequestMessage Request(StoredWebhook webhook, StoredDelivery delivery)
    {
        var body = Encoding.UTF8.GetBytes(delivery.Event);
        var at = time.GetUtcNow().ToUnixTimeSeconds();
        var request = new HttpRequestMessage(HttpMethod.Post, webhook.Url) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue(CloudEvent.MediaType) { CharSet = "utf-8" };
        request.Headers.UserAgent.Add(new ProductInfoHeaderValue("Slipway", null));
        request.Headers.Add(WebhookSignature.IdHeader, delivery.Id);
        request.Headers.Add(WebhookSignature.TimestampHeader, at.ToString(CultureInfo.InvariantCulture));
        request.Headers.Add(WebhookSignature.SignatureHeader, WebhookSignature.Sign(key.SecretOf(webhook.SecretId), delivery.Id, at, body));
        return request;
    }

    private static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellation)
    {
        var end = context.DnsEndPoint;
        var addresses = IPAddress.TryParse(end.Host, out var literal) ? [literal] : await Dns.GetHostAddressesAsync(end.Host, cancellation);
        // What is connected to is what was looked at: the name is not resolved again.
        var refusals = addresses.Select(address => ReceiverAddress.Refusal(address, context.InitialRequestMessage.RequestUri!.Scheme)).OfType<string>().ToArray();
        if (refusals.Length > 0)
            throw new AddressRefusedException($"{end.Host} leads where no webhook may: {refusals[0]}");
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(addresses, end.Port, cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static async Task<string> BeginningAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        await using var body = await response.Content.ReadAsStreamAsync(cancellation);
        var bytes = new byte[MostOfAnswer];
        return Encoding.UTF8.GetString(bytes, 0, await body.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancellation)).Trim();
    }

    private TimeSpan? RetryAfter(HttpResponseMessage response) =>
        response.Headers.RetryAfter is { } wish ? wish.Delta ?? wish.Date - time.GetUtcNow() : null;

    /// <summary>A receiver's words are shown to people, in terminals too.</summary>
    private static string Clean(string text) =>
        string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c).Take(LongestError));

    private static Exception Innermost(Exception e) => e.InnerException is { } inner ? Innermost(inner) : e;

    private static T? Find<T>(Exception? e)
        where T : Exception => e is null or T ? (T?)e : Find<T>(e.InnerException);

    private sealed class AddressRefusedException(string message) : IOException(message);
}
