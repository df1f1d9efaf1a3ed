using System.Collections.Concurrent;
using System.Security.Cryptography;
using Slipway.Documents.Monitoring;
using Slipway.Server.Storage;

namespace Slipway.Server.Webhooks;

/// <summary>Delivers events: of each webhook in their order, one at a time; of all webhooks beside each other. Only the server that holds the lease does.</summary>
/// <remarks>What became of a try is stored after it. A server that is killed in between sends the event again, with the same id: twice perhaps, never not at all.</remarks>
internal sealed class WebhookDriver : IAsyncDisposable
{
    private const string LeaseName = "webhooks";

    /// <summary>Tries at the same moment over all webhooks; others wait for a place.</summary>
    private const int MostTries = 16;

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);

    private readonly Database database;
    private readonly WebhookSender sender;
    private readonly TimeProvider time;
    private readonly Action<string> log;
    private readonly ConcurrentDictionary<string, Task> underway = new();
    private readonly LeasedLoop loop;

    public WebhookDriver(Database database, WebhookSender sender, bool isAlone, TimeProvider time, Action<string> log)
    {
        (this.database, this.sender, this.time, this.log) = (database, sender, time, log);
        loop = new LeasedLoop(database, LeaseName, "webhooks rest", Look, isAlone, time, log, TurnAsync);
    }

    public async ValueTask DisposeAsync()
    {
        await loop.DisposeAsync();
        await Task.WhenAll(underway.Values);
        sender.Dispose();
    }

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    private async Task<Turn> TurnAsync(long epoch, CancellationToken stop)
    {
        // Asked before what is due is read: a try that ends in between would look due still, and be made twice.
        var busy = underway.Keys.ToHashSet();
        var free = MostTries - busy.Count;
        if (free <= 0)
            return Turn.Idle;
        var due = await database.ReadAsync(
            async session =>
            {
                var heads = (await DeliveryTable.HeadsAsync(session)).ToDictionary(head => head.Webhook);
                if (heads.Count == 0)
                    return [];
                // The one that waited longest first: a slow one does not keep the others from their turn.
                return (await WebhookTable.ListAsync(session))
                    .Where(webhook => webhook.NextAt <= Now && heads.ContainsKey(webhook.Name) && !busy.Contains(webhook.Name))
                    .OrderBy(webhook => webhook.NextAt)
                    .Take(free)
                    .Select(webhook => (webhook, heads[webhook.Name]))
                    .ToArray();
            },
            stop);
        foreach (var (webhook, delivery) in due)
            underway[webhook.Name] = Task.Run(() => DeliverAsync(epoch, webhook, delivery, stop), CancellationToken.None);
        return Turn.Idle;
    }

    private async Task DeliverAsync(long epoch, StoredWebhook webhook, StoredDelivery delivery, CancellationToken stop)
    {
        try
        {
            var outcome = await sender.SendAsync(webhook, delivery, stop);
            // What was sent is stored, though the server stops meanwhile.
            await StoreAsync(epoch, webhook, delivery, outcome);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Not sent, or not known: the next server sends it.
        }
        catch (Exception e)
        {
            log($"a delivery to webhook {webhook.Name} is made again: {e.Message}");
            await Task.WhenAny(Task.Delay(Look, time, stop));
        }
        finally
        {
            underway.TryRemove(webhook.Name, out _);
        }
    }

    private async Task StoreAsync(long epoch, StoredWebhook sentTo, StoredDelivery sent, TryOutcome outcome)
    {
        string? told = null;
        await database.ChangeAsync(
            async session =>
            {
                told = null;
                // Removed, revived by hand or delivered by another server meanwhile: then this try tells nothing of it.
                if (!await Lease.IsInForceAsync(session, LeaseName, epoch)
                    || await WebhookTable.FindAsync(session, sentTo.Name) is not { } webhook || webhook.SecretId != sentTo.SecretId
                    || await DeliveryTable.FindAsync(session, sent.Position) is not { } delivery || delivery.State != DeliveryState.Waiting.Word())
                    return;
                var tries = delivery.Tries + 1;
                if (outcome.Delivered)
                {
                    await DeliveryTable.SaveAsync(session, delivery with { State = DeliveryState.Delivered.Word(), Tries = tries, Error = null });
                    await WebhookTable.SaveStandingAsync(session, webhook.Name, 0, Now + (long)DeliveryCourse.Spacing.TotalMilliseconds, null);
                    told = webhook.Failures > 0 ? $"webhook {webhook.Name} takes events again" : null;
                    return;
                }

                var isDead = DeliveryCourse.IsGivenUp(outcome, (int)tries, TimeSpan.FromMilliseconds(Now - delivery.At));
                await DeliveryTable.SaveAsync(session, delivery with { State = (isDead ? DeliveryState.Dead : DeliveryState.Waiting).Word(), Tries = tries, Error = outcome.Error });
                var rest = DeliveryCourse.Rest((int)Math.Min(webhook.Failures + 1, int.MaxValue), Chance(), outcome.RetryAfter);
                await WebhookTable.SaveStandingAsync(session, webhook.Name, webhook.Failures + 1, Now + (long)rest.TotalMilliseconds, outcome.Error);
                told = isDead ? $"event {delivery.Id} for webhook {webhook.Name} is given up after {tries} tries: {outcome.Error}; `slipway webhooks dead {webhook.Name}` lists it"
                    : webhook.Failures == 0 ? $"webhook {webhook.Name} does not take events, and is tried again: {outcome.Error}"
                    : null;
            },
            CancellationToken.None);
        if (told is not null)
            log(told);
    }

    private static double Chance() => RandomNumberGenerator.GetInt32(1 << 20) / (double)(1 << 20);
}
