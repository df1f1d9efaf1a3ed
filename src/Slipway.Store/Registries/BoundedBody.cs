namespace Slipway.Store.Registries;

/// <summary>Reads small answers whole, within a bound of bytes and of silence.</summary>
internal static class BoundedBody
{
    /// <summary>The body; null where it has more bytes than allowed.</summary>
    /// <exception cref="IOException">The connection was cut.</exception>
    /// <exception cref="TimeoutException">Nothing came for that long.</exception>
    public static async Task<byte[]?> ReadAsync(HttpResponseMessage response, int atMost, TimeSpan silence, CancellationToken cancellation)
    {
        if (response.Content.Headers.ContentLength > atMost)
            return null;
        var (bytes, isWhole) = await ReadAsync(response, atMost + 1L, atMost + 1, silence, cancellation);
        if (!isWhole)
            return null;
        return response.Content.Headers.ContentLength is { } promised && promised != bytes.Length ? throw new EndOfStreamException("the answer ended early") : bytes;
    }

    /// <summary>The beginning of a body, as much as comes: for an error, whose reason may be missing.</summary>
    public static async Task<byte[]> ReadSomeAsync(HttpResponseMessage response, int atMost, TimeSpan silence, CancellationToken cancellation)
    {
        try
        {
            return (await ReadAsync(response, atMost, atMost, silence, cancellation)).Bytes;
        }
        catch (Exception e) when (e is IOException or HttpRequestException or TimeoutException)
        {
            return [];
        }
    }

    private static async Task<(byte[] Bytes, bool IsWhole)> ReadAsync(HttpResponseMessage response, long wanted, int atMost, TimeSpan silence, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        try
        {
            patience.CancelAfter(silence);
            await using var body = await response.Content.ReadAsStreamAsync(patience.Token);
            using var kept = new MemoryStream();
            var buffer = new byte[16 * 1024];
            while (kept.Length < wanted)
            {
                patience.CancelAfter(silence);
                var read = await body.ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, wanted - kept.Length)), patience.Token);
                if (read == 0)
                    return (kept.ToArray(), true);
                kept.Write(buffer, 0, read);
            }

            return (kept.ToArray(), kept.Length < atMost);
        }
        catch (OperationCanceledException e) when (!cancellation.IsCancellationRequested)
        {
            throw new TimeoutException($"nothing came for {silence.TotalSeconds} seconds", e);
        }
    }
}
