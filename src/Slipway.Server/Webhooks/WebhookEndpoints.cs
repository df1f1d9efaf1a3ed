using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Slipway.Documents.Access;
using Slipway.Documents.Ledger;
using Slipway.Documents.Monitoring;
using Slipway.Server.Access;
using Slipway.Server.Api;
using Slipway.Server.Ledger;
using Slipway.Server.Storage;

namespace Slipway.Server.Webhooks;

/// <summary>Where events go, and what did not get there. For administrators of all models alone: addresses may tell much.</summary>
internal sealed class WebhookEndpoints(Database database, LedgerWriter ledger, WebhookKey key, TimeProvider time)
{
    /// <summary>Webhooks of one server: each event is stored once for each.</summary>
    private const int Most = 100;

    /// <summary>Deliveries of one answer.</summary>
    private const int MostListed = 500;

    private const int SecretIdDigits = 16;

    private const string Path = "/api/v1/webhooks", One = Path + "/{webhook}";

    public IEnumerable<ApiEndpoint> All() =>
    [
        new("GET", Path, Permission.Administer, ListAsync),
        new("POST", Path, Permission.Administer, AddAsync),
        new("POST", One + "/remove", Permission.Administer, RemoveAsync),
        new("POST", One + "/retry", Permission.Administer, RetryAsync),
        new("GET", One + "/deliveries", Permission.Administer, DeliveriesAsync),
    ];

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    private async Task ListAsync(ApiCall call)
    {
        var webhooks = await database.ReadAsync(
            async session =>
            {
                var views = ImmutableArray.CreateBuilder<Webhook>();
                foreach (var webhook in await WebhookTable.ListAsync(session))
                    views.Add(await WebhookTable.ViewAsync(session, webhook));
                return views.ToImmutable();
            },
            call.Cancellation);
        await call.AnswerAsync(webhooks, MonitoringJson.Default.ImmutableArrayWebhook);
    }

    private async Task AddAsync(ApiCall call)
    {
        var request = await call.ReadAsync(MonitoringJson.Default.WebhookRequest);
        Checks.Name("name", request.Name);
        if (!WebhookName.IsValid(request.Name))
            throw ApiProblem.Malformed("bad-name", $"a webhook's name stands in addresses: allowed are {WebhookName.Allowed}");
        if (request.Model != RoleGrant.AllModels)
            Checks.Name("model", request.Model);
        if (ReceiverAddress.Refusal(request.Url) is { } refusal)
            throw ApiProblem.Malformed("bad-webhook-url", $"the address cannot be a webhook's: {refusal}", "write one such as https://hooks.example.org/slipway");
        var webhook = new StoredWebhook
        {
            Name = request.Name,
            SecretId = RandomNumberGenerator.GetHexString(SecretIdDigits, lowercase: true),
            KeyId = key.Id,
            Url = request.Url.AbsoluteUri,
            Model = request.Model,
            AddedAt = Now,
            AddedBy = call.Caller.Id,
        };
        var view = await database.ChangeAsync(
            async session =>
            {
                if (await WebhookTable.FindAsync(session, request.Name) is not null)
                    throw ApiProblem.Conflict("webhook-known", $"there is a webhook '{request.Name}' already", "remove it first, or take another name");
                if ((await WebhookTable.ListAsync(session)).Length >= Most)
                    throw ApiProblem.Conflict("too-many-webhooks", $"there are {Most} webhooks, which is as many as there may be", "remove one that is not needed any more");
                var view = await WebhookTable.ViewAsync(session, webhook);
                await ledger.RecordAsync(session, call.Caller, "webhook.added", [Subject(request.Name)], request.Reason, Data(view));
                await WebhookTable.AddAsync(session, webhook);
                return view;
            },
            call.Cancellation);
        await call.AnswerAsync(new WebhookAdded(view, WebhookSignature.Text(key.SecretOf(webhook.SecretId))), MonitoringJson.Default.WebhookAdded, StatusCodes.Status201Created);
    }

    private async Task RemoveAsync(ApiCall call)
    {
        var request = await call.ReadAsync(MonitoringJson.Default.WebhookRemoval);
        await ChangeAsync(call, "webhook.removed", request.Reason, (session, webhook) => WebhookTable.RemoveAsync(session, webhook.Name));
    }

    private async Task RetryAsync(ApiCall call)
    {
        var request = await call.ReadAsync(MonitoringJson.Default.WebhookRetry);
        await ChangeAsync(call, "webhook.retried", request.Reason, async (session, webhook) =>
        {
            if (await DeliveryTable.ReviveAsync(session, webhook.Name, request.Id, Now) == 0)
                throw ApiProblem.NotThere("no-dead-delivery", request.Id is null ? $"nothing of webhook {webhook.Name} was given up" : $"webhook {webhook.Name} has no dead delivery '{request.Id}'", $"slipway webhooks dead {webhook.Name}");
            await WebhookTable.SaveStandingAsync(session, webhook.Name, 0, 0, webhook.LastError);
        });
    }

    /// <summary>Answers the webhook as it is then, or was.</summary>
    private async Task ChangeAsync(ApiCall call, string action, string reason, Func<Session, StoredWebhook, Task> change)
    {
        var view = await database.ChangeAsync(
            async session =>
            {
                var webhook = await RequireAsync(session, call.Segment("webhook"));
                var before = await WebhookTable.ViewAsync(session, webhook);
                await change(session, webhook);
                await ledger.RecordAsync(session, call.Caller, action, [Subject(webhook.Name)], reason, Data(before));
                return await WebhookTable.FindAsync(session, webhook.Name) is { } now ? await WebhookTable.ViewAsync(session, now) : before;
            },
            call.Cancellation);
        await call.AnswerAsync(view, MonitoringJson.Default.Webhook);
    }

    private async Task DeliveriesAsync(ApiCall call)
    {
        var state = call.Query("state") is not { } word ? DeliveryState.Dead : Enum.GetValues<DeliveryState>().Where(state => state.Word() == word).ToArray() is [var known] ? known
            : throw ApiProblem.Malformed("bad-request", $"state is '{word}', allowed are {string.Join(", ", Enum.GetValues<DeliveryState>().Select(state => state.Word()))}");
        var deliveries = await database.ReadAsync(
            async session =>
            {
                var webhook = await RequireAsync(session, call.Segment("webhook"));
                return (await DeliveryTable.ListAsync(session, webhook.Name, state, MostListed)).Select(delivery => DeliveryTable.View(delivery, webhook)).ToImmutableArray();
            },
            call.Cancellation);
        await call.AnswerAsync(deliveries, MonitoringJson.Default.ImmutableArrayWebhookDelivery);
    }

    private static async Task<StoredWebhook> RequireAsync(Session session, string name) =>
        await WebhookTable.FindAsync(session, name) ?? throw ApiProblem.NotThere("no-webhook", $"there is no webhook '{name}'", "see slipway webhooks list");

    /// <summary>The path of an address is often a secret of the receiver's: the ledger keeps the host alone.</summary>
    private static JsonElement Data(Webhook webhook) =>
        Subjects.Data(webhook with { Url = new Uri(webhook.Url.GetLeftPart(UriPartial.Authority)), LastError = null, NextAt = null }, MonitoringJson.Default.Webhook);

    private static LedgerSubject Subject(string name) => new($"webhooks/{name}", null);
}
