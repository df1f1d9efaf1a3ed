using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Slipway.Documents.Monitoring;
using Slipway.Server.Storage;

namespace Slipway.Server.Alerting;

/// <summary>The alerts of every rule that is in force.</summary>
internal static class AlertTable
{
    /// <param name="model">Null for all.</param>
    public static async Task<ImmutableArray<AlertMemory>> ListAsync(Session session, string? model = null) =>
    [
        .. (await session.QueryAsync<string>($"SELECT document FROM alerts{(model is null ? "" : " WHERE model = @model")} ORDER BY model, channel, name", new { model }))
            .Select(document => StoredJson.Read(document, AlertingJson.Default.AlertMemory)),
    ];

    public static Task SaveAsync(Session session, AlertMemory memory) => session.ExecuteAsync(
        "INSERT INTO alerts (model, channel, name, document) VALUES (@Model, @Channel, @Name, @document) ON CONFLICT (model, channel, name) DO UPDATE SET document = excluded.document",
        new { memory.Alert.Model, memory.Alert.Channel, memory.Alert.Rule.Name, document = StoredJson.Text(memory, AlertingJson.Default.AlertMemory) });

    public static Task RemoveAsync(Session session, Alert alert) => session.ExecuteAsync(
        "DELETE FROM alerts WHERE model = @Model AND channel = @Channel AND name = @Name", new { alert.Model, alert.Channel, alert.Rule.Name });
}

/// <summary>What is stored of alerts and retraining beyond what people are shown.</summary>
[JsonSourceGenerationOptions(System.Text.Json.JsonSerializerDefaults.Strict, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(AlertMemory))]
internal sealed partial class AlertingJson : JsonSerializerContext;
