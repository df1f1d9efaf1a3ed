using System.Net.Http.Headers;
using System.Security.Cryptography;
using Slipway.Primitives.Faults;
using Slipway.Trust.Timestamps;

namespace Slipway.Cli;

/// <summary>Asks a timestamp authority over HTTP. Source: RFC 3161, section 3.4.</summary>
internal static class TimestampClient
{
    /// <summary>Authorities answer at once; a build does not wait for one that does not.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>64 bits: no old answer fits.</summary>
    private const int NonceBytes = 8;

    /// <returns>The authority's response, which answers this very query.</returns>
    /// <exception cref="SlipwayException">Not an address that may be asked (exit 2); not reachable, or another answer (exit 3).</exception>
    public static async Task<byte[]> StampAsync(string address, ReadOnlyMemory<byte> signature, CancellationToken cancellation)
    {
        // A timestamp is signed, so a listener learns a hash at most; a foreign plain-HTTP address is still refused, as everywhere.
        if (!Uri.TryCreate(address, UriKind.Absolute, out var url) || !(url.Scheme == Uri.UriSchemeHttps || (url.Scheme == Uri.UriSchemeHttp && url.IsLoopback)))
            throw new SlipwayException(ExitCode.UnusableInput, new Fault("bad-argument", $"--timestamp-url is {address}, allowed is an https address, or http on this machine"));
        var query = TimestampQuery.For(signature.Span, RandomNumberGenerator.GetBytes(NonceBytes));
        try
        {
            using var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { Timeout = Patience, MaxResponseContentBufferSize = TimestampToken.MaxBytes };
            using var content = new ByteArrayContent(query.Request);
            content.Headers.ContentType = new MediaTypeHeaderValue(TimestampQuery.RequestType);
            using var answer = await client.PostAsync(url, content, cancellation);
            if (!answer.IsSuccessStatusCode)
                throw Failed(url, $"answered with status {(int)answer.StatusCode}");
            var response = await answer.Content.ReadAsByteArrayAsync(cancellation);
            return query.IsAnsweredBy(response) ? response : throw Failed(url, "did not answer with a timestamp for this signature");
        }
        catch (HttpRequestException e)
        {
            throw Failed(url, $"cannot be asked: {e.Message}", e);
        }
        catch (TaskCanceledException e) when (!cancellation.IsCancellationRequested)
        {
            throw Failed(url, $"did not answer within {Patience.TotalSeconds} seconds", e);
        }
    }

    private static SlipwayException Failed(Uri url, string what, Exception? inner = null) =>
        new(ExitCode.NotThere, new Fault("timestamp-unavailable", $"the timestamp authority {url} {what}", Help: "nothing was attached; try again, or leave --timestamp-url out"), inner);
}
