using System.Globalization;
using Slipway.Gateway.Sampling;
using Slipway.Primitives.Faults;
using Slipway.Trust.Encryption;
using Slipway.Trust.Signing;

namespace Slipway.Gateway.Control;

/// <summary>Seals captured requests for a key that this gateway cannot open with, and sends them; each is kept until the server has it.</summary>
internal sealed class CaptureSender(GatewayOptions options, string boot, ServerLink link, CaptureBuffer buffer, VerificationKey recipient)
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(1);

    private readonly Backoff backoff = new(Every, Longest);
    private readonly Queue<SealedCapture> waiting = new();
    private long sequence;
    private string? told;

    public async Task RunAsync(CancellationToken cancellation)
    {
        while (!cancellation.IsCancellationRequested)
        {
            var pause = Every;
            try
            {
                await SendAsync(cancellation);
                backoff.Succeeded();
                told = null;
            }
            catch (SlipwayException e)
            {
                Tell($"captured requests wait for the server: {e.Message}");
                pause = backoff.Failed();
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                return;
            }

            await Task.Delay(pause, options.Time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>At the end, after the last request.</summary>
    public async Task FlushAsync(CancellationToken cancellation)
    {
        try
        {
            await SendAsync(cancellation);
        }
        catch (Exception e) when (e is SlipwayException or OperationCanceledException)
        {
            options.Log($"the last captured requests did not reach the server, and are gone: {e.Message}");
        }
    }

    private async Task SendAsync(CancellationToken cancellation)
    {
        var taken = buffer.Take(out var lost);
        foreach (var captured in taken)
            waiting.Enqueue(new SealedCapture(string.Create(CultureInfo.InvariantCulture, $"{boot}-{++sequence}"), captured with { Lines = [] }, captured.Lines.Length, SealedMessage.Seal(captured.Lines, recipient)));
        if (lost > 0)
            options.Log(string.Create(CultureInfo.InvariantCulture, $"{lost} requests were not captured: {CaptureBuffer.MostBytes} bytes wait for the server already, or they could not be written down"));
        while (waiting.TryPeek(out var next))
        {
            try
            {
                await link.SendCaptureAsync(next.About.Model, options.Channel, options.Name, next.Id, next.About.From, next.About.To, next.About.Requests, next.Message, cancellation);
            }
            catch (SlipwayException e) when (e.Faults[0].Code != ServerLink.Unreachable)
            {
                // It will not take this one, ever: the plan was changed meanwhile, or the server is an older one.
                Tell($"{next.About.Requests} captured requests of {next.About.Model} are given up: {e.Message}");
            }

            buffer.Forget(next.Bytes);
            waiting.Dequeue();
        }
    }

    /// <param name="About">Without its lines: from here on they are there only sealed.</param>
    /// <param name="Bytes">Of the lines.</param>
    private sealed record SealedCapture(string Id, Captured About, int Bytes, byte[] Message);

    private void Tell(string what)
    {
        if (told != what)
            options.Log(what);
        told = what;
    }
}
