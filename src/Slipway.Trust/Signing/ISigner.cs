namespace Slipway.Trust.Signing;

/// <summary>What signs: a key in this process, or a program that reaches one elsewhere.</summary>
/// <remarks>Not thread-safe.</remarks>
public interface ISigner
{
    /// <summary>By it every signature is verified.</summary>
    VerificationKey PublicKey { get; }

    /// <returns>ECDSA over SHA-256 of the data, in DER; it verifies under <see cref="PublicKey"/>.</returns>
    /// <exception cref="Primitives.Faults.SlipwayException">Whatever reaches the key failed (exit 3).</exception>
    byte[] Sign(ReadOnlySpan<byte> data);
}
