using System.Collections.Immutable;
using System.Globalization;
using Microsoft.AspNetCore.Http;
using Slipway.Documents.Registry;
using Slipway.Server.Api;
using Slipway.Server.Storage;

namespace Slipway.Server.Registry;

/// <summary>What the channels of a model serve; who releases to them knows.</summary>
internal delegate Task<ImmutableArray<ChannelState>> ChannelReader(Session session, string model);

/// <summary>Models and their versions: registering them, and reading what is sealed in them.</summary>
internal sealed class VersionEndpoints(Database database, Registrar registrar, ChannelReader channels)
{
    public IEnumerable<ApiEndpoint> All() =>
    [
        new("GET", "/api/v1/models", Permission.Read, ListModelsAsync, AnyModel: true),
        new("GET", "/api/v1/models/{model}", Permission.Read, GetModelAsync),
        new("GET", "/api/v1/models/{model}/channels", Permission.Read, ListChannelsAsync),
        new("GET", "/api/v1/models/{model}/versions", Permission.Read, ListAsync),
        new("GET", "/api/v1/models/{model}/versions/{number}", Permission.Read, GetAsync),
        new("POST", "/api/v1/models/{model}/versions", Permission.Push, RegisterAsync),
    ];

    private async Task ListModelsAsync(ApiCall call)
    {
        var models = await database.ReadAsync(
            async session =>
            {
                var seen = ImmutableArray.CreateBuilder<ModelSummary>();
                foreach (var model in (await VersionTable.ModelsAsync(session)).Where(model => call.Caller.May(Permission.Read, model)))
                    seen.Add(await SummaryAsync(session, call.Caller, model));
                return seen.ToImmutable();
            },
            call.Cancellation);
        await call.AnswerAsync(models, RegistryJson.Default.ImmutableArrayModelSummary);
    }

    private async Task GetModelAsync(ApiCall call) =>
        await call.AnswerAsync(await database.ReadAsync(session => SummaryAsync(session, call.Caller, call.Segment("model")), call.Cancellation), RegistryJson.Default.ModelSummary);

    private async Task ListChannelsAsync(ApiCall call) =>
        await call.AnswerAsync(await database.ReadAsync(session => channels(session, call.Segment("model")), call.Cancellation), RegistryJson.Default.ImmutableArrayChannelState);

    private async Task ListAsync(ApiCall call)
    {
        long? before = call.Query("before") is { } text ? NumberOf(text) : null;
        await call.AnswerAsync(await database.ReadAsync(session => VersionTable.ListAsync(session, call.Segment("model"), before), call.Cancellation), RegistryJson.Default.ImmutableArrayModelVersion);
    }

    private async Task GetAsync(ApiCall call)
    {
        var (model, number) = (call.Segment("model"), NumberOf(call.Segment("number")));
        var detail = await database.ReadAsync(
            async session =>
            {
                var version = await Promotions.RequireVersionAsync(session, model, number);
                var evidence = (await VersionTable.EvidenceAsync(session, version.Bundle))!;
                var plan = (await PlanTable.LatestAsync(session, model))!;
                var live = (await channels(session, model)).Where(channel => channel.Live?.Number == version.Number).Select(channel => channel.Channel);
                return new ModelVersionDetail(version, plan.Plan, evidence.Evaluation, evidence.Lineage, await Signatures.OfAsync(session, version.Bundle), [.. live]);
            },
            call.Cancellation);
        await call.AnswerAsync(detail, RegistryJson.Default.ModelVersionDetail);
    }

    private async Task RegisterAsync(ApiCall call)
    {
        var push = await call.ReadAsync(RegistryJson.Default.VersionPush);
        var registered = await registrar.RegisterAsync(call.Caller, call.Segment("model"), push, call.Cancellation);
        await call.AnswerAsync(registered, RegistryJson.Default.VersionRegistration, registered.IsNew ? StatusCodes.Status201Created : StatusCodes.Status200OK);
    }

    private async Task<ModelSummary> SummaryAsync(Session session, Caller caller, string model)
    {
        await ModelNames.RequireAsync(session, caller, model);
        var count = (int)await VersionTable.LastNumberAsync(session, model);
        return new ModelSummary(model, count, await Promotions.RequireVersionAsync(session, model, count), await channels(session, model));
    }

    internal static long NumberOf(string text) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
        ? number
        : throw ApiProblem.Malformed("bad-number", "a number stands here: 1, 2, 3 …");
}
