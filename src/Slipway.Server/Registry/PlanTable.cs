using System.Collections.Immutable;
using Slipway.Documents.Registry;
using Slipway.Server.Storage;

namespace Slipway.Server.Registry;

/// <summary>Every release plan that a model ever had.</summary>
internal static class PlanTable
{
    public static async Task<PlanVersion?> LatestAsync(Session session, string model) =>
        await session.FindAsync<string>("SELECT document FROM plans WHERE model = @model ORDER BY number DESC LIMIT 1", new { model }) is { } document ? Parse(document) : null;

    public static async Task<PlanVersion?> FindAsync(Session session, string model, long number) =>
        await session.FindAsync<string>("SELECT document FROM plans WHERE model = @model AND number = @number", new { model, number }) is { } document ? Parse(document) : null;

    /// <summary>Newest first.</summary>
    public static async Task<ImmutableArray<PlanVersion>> ListAsync(Session session, string model) =>
        [.. (await session.QueryAsync<string>("SELECT document FROM plans WHERE model = @model ORDER BY number DESC LIMIT @limit", new { model, limit = (long)VersionTable.Page })).Select(Parse)];

    public static Task InsertAsync(Session session, PlanVersion plan, ImmutableArray<string> mayBe) => session.ExecuteAsync(
        "INSERT INTO plans (model, number, document, may_be) VALUES (@Model, @number, @document, @mayBe)",
        new { plan.Model, number = (long)plan.Number, document = StoredJson.Text(plan, RegistryJson.Default.PlanVersion), mayBe = StoredJson.Text(mayBe, RegistryJson.Default.ImmutableArrayString) });

    public static async Task<Actor> SetterAsync(Session session, PlanVersion plan) =>
        new Actor(plan.SetBy, StoredJson.Read((await session.FindAsync<string>("SELECT may_be FROM plans WHERE model = @Model AND number = @number", new { plan.Model, number = (long)plan.Number }))!, RegistryJson.Default.ImmutableArrayString));

    private static PlanVersion Parse(string document) => StoredJson.Read(document, RegistryJson.Default.PlanVersion);
}
