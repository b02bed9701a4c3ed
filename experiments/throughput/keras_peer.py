"""The four models in Keras on TensorFlow: every step, gathering included, is one TensorFlow function."""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import tensorflow as tf
from keras import layers

import mnist


def model(variant: str) -> keras.Model:
    pooling = {
        "max": layers.MaxPooling2D,
        "average": layers.AveragePooling2D,
        "global-max": layers.GlobalMaxPooling2D,
        "global-average": layers.GlobalAveragePooling2D,
    }[variant]
    windows = [()] if variant.startswith("global") else [(2,), (2,)]
    stages = [layer for window in windows for layer in (layers.Conv2D(32, 3, activation="relu"), pooling(*window))]
    dense = [layers.Flatten(), layers.Dense(128, activation="relu"), layers.Dense(10)]
    return keras.Sequential([layers.Input((28, 28, 1)), *stages, *dense])


class Peer:
    def __init__(self, mode: str, variant: str, threads: int, batch_size: int) -> None:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        keras.utils.set_random_seed(1)
        images, labels = mnist.load("train")
        self.images = tf.constant(images[..., None])
        self.labels = tf.constant(labels)
        self.batches = mnist.shuffled_batches(len(images), batch_size)
        self.model = model(variant)
        self.loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        self.optimizer = keras.optimizers.Adam(1e-3, 0.9, 0.999, 1e-7)
        self.optimizer.build(self.model.trainable_variables)
        jit = mode == "keras-jit"
        self.train_step = tf.function(self.train_step, jit_compile=jit)
        self.logits = tf.function(self.logits, jit_compile=jit)

    def gather(self, indices: tf.Tensor) -> tf.Tensor:
        return tf.cast(tf.gather(self.images, indices), tf.float32) / 255

    def logits(self, indices: tf.Tensor) -> tf.Tensor:
        return self.model(self.gather(indices), training=False)

    def train_step(self, indices: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            loss = self.loss(tf.gather(self.labels, indices), self.model(self.gather(indices), training=True))
        variables = self.model.trainable_variables
        gradients = tape.gradient(loss, [variable.value for variable in variables])
        self.optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return loss

    def train(self, steps: int) -> None:
        for _ in range(steps):
            loss = self.train_step(tf.constant(next(self.batches)))
        loss.numpy()

    def infer(self, batches: int) -> None:
        for _ in range(batches):
            self.logits(tf.constant(next(self.batches))).numpy()

    def infer_one(self) -> None:
        self.logits(tf.constant(next(self.batches)[:1])).numpy()
