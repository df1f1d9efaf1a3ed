using Slipway.Documents.Registry;
using Slipway.Primitives.Bytes;
using Slipway.Server.Storage;

namespace Slipway.Server.Registry;

/// <summary>The part of a bundle's documents that nothing but a page asks for.</summary>
internal static class CardTable
{
    public static Task AddAsync(Session session, Digest bundle, SealedCard card) => session.ExecuteAsync(
        "INSERT INTO model_cards (bundle, card) VALUES (@bundle, @card) ON CONFLICT (bundle) DO NOTHING",
        new { bundle = bundle.ToString(), card = StoredJson.Text(card, RegistryJson.Default.SealedCard) });

    public static async Task<SealedCard?> FindAsync(Session session, Digest bundle) =>
        await session.FindAsync<string>("SELECT card FROM model_cards WHERE bundle = @bundle", new { bundle = bundle.ToString() }) is { } card
            ? StoredJson.Read(card, RegistryJson.Default.SealedCard)
            : null;
}
